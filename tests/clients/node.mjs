// One of the Node clients sends events to the address it is given, each with an id of our own.
//   node node.mjs CLIENT ADDRESS KEY FIRST LAST
// It is run in the folder where the clients are installed, and prints how many errors it met.
import { createRequire } from "node:module";
import { join } from "node:path";

const [client, host, key, first, last] = process.argv.slice(2);
const installed = createRequire(join(process.cwd(), "package.json"));
const numbers = [];
for (let number = +first; number < +last; number++) numbers.push(number);
const timestamp = new Date(Date.now() - 60_000);
const name = (number) => `${client}-${number}`;
const uuid = (number) => `00000000-0000-7000-8000-${String(number).padStart(12, "0")}`;
const pause = (span) => new Promise((done) => setTimeout(done, span));
let errors = 0;

const senders = {
  // Every fourth event is an identify, a page, a group; the others are tracks.
  async segment_node() {
    const { Analytics } = installed("@segment/analytics-node");
    const analytics = new Analytics({ writeKey: key, host, flushAt: 10, flushInterval: 200, maxRetries: 6 });
    analytics.on("error", () => errors++);
    for (const number of numbers) speak(analytics, number, { messageId: name(number), timestamp });
    await analytics.closeAndFlush({ timeout: 60_000 });
  },
  async rudder_node() {
    const loaded = installed("@rudderstack/rudder-sdk-node");
    const Rudder = loaded.default ?? loaded;
    const analytics = new Rudder(key, { dataPlaneUrl: host, flushAt: 10, flushInterval: 200, maxQueueSize: 1 << 20 });
    let waiting = numbers.length;
    for (const number of numbers) speak(analytics, number, { messageId: name(number), timestamp }, () => waiting--);
    for (const end = Date.now() + 60_000; waiting && Date.now() < end; ) await pause(100).then(() => analytics.flush());
    errors += waiting;
  },
  async posthog_node() {
    const { PostHog } = installed("posthog-node");
    const posthog = new PostHog(key, { host, flushAt: 10, flushInterval: 200, fetchRetryDelay: 200, fetchRetryCount: 6 });
    posthog.on("error", () => errors++);
    for (const number of numbers) {
      const about = { distinctId: `user-${number}`, uuid: uuid(number), timestamp };
      const told = number % 4 ? { event: "product viewed", properties: { product_id: `p-${number}` } }
        : { event: "$identify", properties: { $set: { plan: "trial" } } };
      posthog.capture({ ...about, ...told });
    }
    const flags = await posthog.getAllFlags("user-1").catch(() => errors++);
    if (Object.keys(flags).length) errors++;
    await posthog.shutdown(60_000);
  },
};

function speak(analytics, number, common, done) {
  const userId = `user-${number}`;
  if (number % 4 === 0) analytics.identify({ userId, traits: { plan: "trial" }, ...common }, done);
  else if (number % 4 === 1) analytics.page({ userId, name: "Pricing", properties: { path: "/pricing" }, ...common }, done);
  else if (number % 4 === 2) analytics.group({ userId, groupId: "corner", traits: { name: "Corner" }, ...common }, done);
  else analytics.track({ userId, event: "Product Viewed", properties: { product_id: `p-${number}` }, ...common }, done);
}

await senders[client]();
console.log(JSON.stringify({ errors }));
process.exit(0);

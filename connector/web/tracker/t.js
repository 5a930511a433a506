// The tracker: what somebody does on a page, told to the connector that served this file.
//
//   <script async src="https://sms.example.com/t.js" data-key="YOUR_WRITE_KEY"></script>
//
// It sets no cookie and keeps nothing beyond the tab unless data-store says so, sends no value of
// a field that is not marked, and does nothing at all where the browser asks not to be tracked.
// docs/tracker.md tells every attribute. What is served is t.min.js, which `make tracker` makes of
// this file.
((window, document, navigator) => {
  const script = document.currentScript || document.querySelector("script[data-key]");
  const early = window.connector || [];
  if (!script || early.loaded) return;
  const set = script.dataset;
  const door = (set.to || script.src).replace(/\/(t\.js.*)?$/, "") + "/v1/b";
  const held = [];
  const api = (window.connector = { loaded: 1, push: (...calls) => calls.forEach(call) });
  if (navigator.doNotTrack == 1 || window.doNotTrack == 1 || navigator.globalPrivacyControl) {
    api.push = () => {};
    return;
  }

  const MOST_EVENTS = 50;
  const MOST_HELD = 40;
  const MOST_LETTERS = 16000;
  const MOST_TRIES = 6;
  const SESSION = 1800000;
  const WHO = "connector";
  const QUEUE = "connector_queue";
  const CLICK_IDS = /^(gclid|gbraid|wbraid|dclid|fbclid|msclkid|ttclid|twclid|li_fat_id)$/;
  const common = {
    library: { name: "t.js" },
    userAgent: navigator.userAgent,
    locale: navigator.language,
    device: { type: /Mobi/.test(navigator.userAgent) ? "mobile" : "desktop" },
    automated: navigator.webdriver || undefined,
  };

  // Storage may be forbidden, and is null in memory mode: then nothing outlives the page.
  const storage = (name) => {
    try {
      return set.store == "memory" ? null : window[name];
    } catch (e) {}
  };
  const load = (store, name) => {
    try {
      return JSON.parse(store.getItem(name));
    } catch (e) {}
  };
  const save = (store, name, value) => {
    try {
      value ? store.setItem(name, JSON.stringify(value)) : store.removeItem(name);
    } catch (e) {}
  };
  const session = storage("sessionStorage");
  const lasting = set.store == "local" ? storage("localStorage") : session;

  let running, timer, busy, here, state;
  let tries = 0;
  let deepest = 0;
  let queue = [];
  let forms = new Map();

  const id = () =>
    [...crypto.getRandomValues(new Uint8Array(16))].map((n) => (n + 256).toString(16).slice(1)).join("");
  // A page must not break because we look at it.
  const safely = (act, about) => {
    try {
      running && act(about);
    } catch (e) {}
  };
  const on = (target, name, act) => target.addEventListener(name, (event) => safely(act, event), true);
  const path = () => location.pathname + ("hash" in set ? location.hash : "");

  // An address without what its query and fragment may hold; of tel: and mailto: only the kind.
  const clean = (link) => {
    try {
      const url = new URL(link, location);
      if (!/^http/.test(url.protocol)) return url.protocol;
      const kept = (set.query || "").split(/[\s,]+/).filter((name) => url.searchParams.has(name));
      const query = new URLSearchParams(kept.map((name) => [name, url.searchParams.get(name)])) + "";
      return url.origin + url.pathname + (query && "?" + query) + ("hash" in set ? url.hash : "");
    } catch (e) {}
  };

  // Who it is: as kept, which another tab or a page gone back from may have changed meanwhile.
  const recall = () => {
    state = load(lasting, WHO) || state || {};
    const cookie = set.store == "cookie" && /(?:^|; )connector=(\w+)/.exec(document.cookie);
    if (cookie && cookie[1] != state.id) state = { id: cookie[1] };
    state.id = state.id || id();
  };
  const keep = () => {
    save(lasting, WHO, state);
    if (set.store == "cookie") {
      const rest = (location.protocol == "https:" ? ";secure" : "") + (set.domain ? ";domain=" + set.domain : "");
      document.cookie = WHO + "=" + state.id + ";path=/;max-age=31536000;samesite=lax" + rest;
    }
  };

  // What the address of arrival says of where the person comes from.
  const arrival = () => {
    const came = {};
    new URLSearchParams(location.search).forEach((value, name) => {
      value = value.slice(0, 200);
      const part = (/^utm_(\w+)/.exec(name) || [])[1];
      if (part) (came.campaign = came.campaign || {})[part == "campaign" ? "name" : part] = value;
      else if (CLICK_IDS.test(name)) came.click = { type: name, id: value };
    });
    return came;
  };

  // A visit ends after half an hour of silence, and another campaign begins a new one.
  const visit = () => {
    const came = arrival();
    const mark = JSON.stringify(came);
    const now = Date.now();
    const old = state.visit;
    if (old && now - old.at < SESSION && (mark == "{}" || mark == old.mark)) {
      old.at = now;
      return;
    }
    state.visit = { ...came, mark, at: now, id: id(), landing: clean(location) };
    state.views = {};
    tell("track", { event: "Session Started", properties: { landing: state.visit.landing, referrer: here.referrer } });
  };

  const tell = (type, fields) => {
    visit();
    const { visit: now, user, hash } = state;
    const event = {
      ...fields,
      type,
      messageId: id(),
      timestamp: new Date().toISOString(),
      anonymousId: state.id,
      userId: user,
      userHash: hash,
      context: { page: here, campaign: now.campaign, referrer: now.click, sessionId: now.id, landing: now.landing },
    };
    if (JSON.stringify(event).length > MOST_LETTERS) return;
    queue = [...queue, event].slice(-MOST_EVENTS);
    keep();
    save(session, QUEUE, queue);
    timer = timer || setTimeout(flush, 200);
  };
  const track = (event, properties) => tell("track", { event, properties });

  // As many events as fit into what a browser sends on behalf of a page that is gone.
  const slice = (events) => {
    let letters = 0;
    return events.filter((event, place) => (letters += JSON.stringify(event).length) < MOST_LETTERS || !place);
  };
  const body = (batch) =>
    JSON.stringify({ writeKey: set.key, sentAt: new Date().toISOString(), context: common, batch });
  const post = (batch) => fetch(door, { method: "POST", body: body(batch), keepalive: true, credentials: "omit" });

  // An event leaves the queue when the server has answered for it; it has the same messageId on
  // every repeat, by which the server knows it again.
  const flush = () => {
    timer = 0;
    if (busy || !running || !queue.length) return;
    const sent = slice(queue);
    busy = 1;
    post(sent)
      .then((answer) => {
        if (answer.status > 499 || answer.status == 429) throw 0;
        queue = queue.filter((event) => !sent.includes(event));
        save(session, QUEUE, running && queue);
        tries = 0;
      })
      .catch(() => tries++)
      .then(() => {
        busy = 0;
        if (queue.length && tries < MOST_TRIES) timer = timer || setTimeout(flush, tries && 500 << tries);
      });
  };

  // The page may be gone in a moment: nobody will hear the answer, so what was sent stays in the
  // queue, and the next page of this tab sends it again.
  const beam = () => {
    for (let rest = queue, batch; rest.length; rest = rest.slice(batch.length)) {
      batch = slice(rest);
      (navigator.sendBeacon && navigator.sendBeacon(door, body(batch))) || post(batch).catch(() => {});
    }
  };

  const look = (referrer) => {
    here = { path: path(), url: clean(location), referrer, title: document.title };
  };
  const page = (properties) => {
    visit();
    const view = (state.views[here.url] = (state.views[here.url] || 0) + 1);
    tell("page", { properties: { ...properties, view, repeat: view > 1 } });
  };

  // What is known of a page only once it is left.
  const leave = () => {
    const depth = deepest - (deepest % 25);
    deepest = 0;
    if (depth) track("Page Scrolled", { depth });
    forms.forEach(([sent, named]) => sent || track("Form Abandoned", named));
    forms = new Map();
  };

  const about = (form) => {
    const name = form.dataset.trackForm || form.getAttribute("name");
    const form_id = form.getAttribute("id") || name || path() + "#" + [...document.forms].indexOf(form);
    return { form_id, form_name: name || undefined };
  };
  const isOff = (element) => element.closest("[data-track-off]");
  const isOurs = (form) =>
    form &&
    !isOff(form) &&
    ("trackForm" in form.dataset || !(form.matches("[role=search]") || form.querySelector("[type=password],[type=search]")));

  const begun = (form) => {
    if (!isOurs(form) || forms.has(form)) return;
    const named = about(form);
    forms.set(form, [0, named]);
    track("Form Started", named);
  };

  // Only fields that are marked tell what was written into them, and no secret one does. A field that is
  // marked data-track-id is given the visitor's id, for a form of the connector: docs/forms.md.
  const sent = (form) => {
    const [before, named] = forms.get(form) || [0, about(form)];
    if (!isOurs(form) || Date.now() - before < 1000) return;
    forms.set(form, [Date.now(), named]);
    const values = {};
    for (const field of form.elements) {
      const { type, dataset, name, value } = field;
      if ("trackId" in dataset) field.value = state.id;
      if (!("trackValue" in dataset) || /password|file/.test(type) || /cc-/.test(field.autocomplete)) continue;
      if (type == "checkbox") values[dataset.trackValue || name] = field.checked;
      else if (type != "radio" || field.checked) values[dataset.trackValue || name] = value.slice(0, 500);
    }
    track("Form Submitted", { ...values, ...named });
  };

  const moved = () =>
    setTimeout(() => {
      if (!running || clean(location) == here.url) return;
      leave();
      look(here.url);
      page();
    });

  const watch = () => {
    for (const name of ["pushState", "replaceState"]) {
      const native = history[name];
      history[name] = function () {
        native.apply(this, arguments);
        moved();
      };
    }
    const submit = HTMLFormElement.prototype.submit;
    HTMLFormElement.prototype.submit = function () {
      safely(sent, this);
      submit.call(this);
    };
    on(window, "popstate", moved);
    on(document, "input", (event) => begun(event.target.form));
    on(document, "submit", (event) => sent(event.target));
    on(document, "click", ({ target }) => {
      const marked = target.closest && target.closest("[data-track]");
      if (marked && !isOff(marked)) track("Element Clicked", { name: marked.dataset.track || marked.id, url: marked.href && clean(marked.href) });
    });
    on(document, "scroll", ({ target }) => {
      const { scrollHeight } = document.documentElement;
      const depth = Math.round((100 * (scrollY + innerHeight)) / scrollHeight);
      if (target == document) deepest = Math.min(100, Math.max(deepest, depth));
    });
    on(document, "visibilitychange", () => (document.hidden ? beam() : recall()));
    on(window, "pagehide", () => {
      leave();
      beam();
    });
    on(window, "pageshow", (event) => {
      if (!event.persisted) return;
      recall();
      queue = load(session, QUEUE) || queue;
      page();
    });
    on(window, "online", () => {
      tries = 0;
      flush();
    });
  };

  const commands = {
    start() {
      if (running) return;
      running = 1;
      state = 0;
      recall();
      queue = load(session, QUEUE) || [];
      look(document.referrer && clean(document.referrer));
      if (set.user) commands.identify(set.user, set.userHash);
      page();
      flush();
      held.splice(0).forEach(call);
    },
    // Nothing more is sent, and what was kept in the browser goes.
    stop() {
      running = 0;
      queue = [];
      held.length = 0;
      save(lasting, WHO);
      save(session, QUEUE);
      if (set.store == "cookie") document.cookie = WHO + "=;path=/;max-age=0" + (set.domain ? ";domain=" + set.domain : "");
    },
    identify(user, hash, traits) {
      const told = JSON.stringify([user, hash, traits]);
      if (!user || state.told == told) return;
      // Somebody else at the same device is not who was there before.
      if (state.user && state.user != user) state.id = id();
      Object.assign(state, { user: "" + user, hash, told });
      tell("identify", { traits });
    },
    reset() {
      state = { id: id() };
      visit();
    },
    track,
    page,
  };
  const call = (asked) => {
    try {
      const [name, ...rest] = asked;
      if (running || /^st/.test(name)) commands[name](...rest);
      else if (running != 0 && held.length < MOST_HELD) held.push(asked);
    } catch (e) {}
  };

  const begin = () => {
    watch();
    "wait" in set || commands.start();
    early.forEach(call);
  };
  document.prerendering ? document.addEventListener("prerenderingchange", begin, { once: true }) : begin();
})(window, document, navigator);

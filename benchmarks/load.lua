-- Sends the request in the file LOAD_FILE with wrk. A number that grows from LOAD_FIRST takes the
-- place of @@@@@@@@@@ in it, and the number's last three digits that of &&& before.
local file = io.open(os.getenv("LOAD_FILE"), "rb")
local template = file:read("*a")
file:close()
local user = template:find("&&&", 1, true)
local mark = template:find("@@@@@@@@@@", 1, true)
local head, middle, tail = template:sub(1, user - 1), template:sub(user + 3, mark - 1), template:sub(mark + 10)
local number = tonumber(os.getenv("LOAD_FIRST"))

function request()
  number = number + 1
  local named = string.format("%03d%s%010d", number % 1000, middle, number % 10000000000)
  return head .. named .. tail
end

function done(summary, latency)
  local errors = summary.errors
  local bad = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '\n{"requests": %d, "bad": %d, "seconds": %.3f, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, bad, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end

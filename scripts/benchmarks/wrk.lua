-- client_credentials over and over, as each credential of a file in turn; the outcome is a line of JSON.
local requests, turn = {}, 0

function init(arguments)
  local headers = {
    ["Content-Type"] = "application/x-www-form-urlencoded",
    ["Connection"] = arguments[2],
  }
  for line in io.lines(arguments[1]) do
    headers["Authorization"] = line
    table.insert(requests, wrk.format("POST", nil, headers, "grant_type=client_credentials"))
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"answered": %d, "seconds": %f, "refused": %d, "broken": %d, "p50": %f, "p99": %f}',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000
  ))
end

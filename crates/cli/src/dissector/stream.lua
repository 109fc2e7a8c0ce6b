-- Splits TCP connections into messages, and shows them.
--
-- The dissector takes the place of `http` on its ports, because `http` claims every connection there and does
-- not know the method. On other ports it is a heuristic dissector. It hands over to `http` connections without
-- packets, and on other connections all responses and all requests that are not packets.

local bits = Proto("bits", TITLE)
local http = Dissector.get("http")
local stream_field = Field.new("tcp.stream")

local fields, experts = {}, {}
for id, it in pairs(FILTER) do
  local make = ProtoField[it.type]
  if it.type == "uint32" then
    fields[id] = make(it.name, it.label, base.HEX, it.names)
  else
    fields[id] = make(it.name, it.label)
  end
end
bits.fields = fields
local LEVEL = { MUST = expert.severity.ERROR, SHOULD = expert.severity.WARN, suspicious = expert.severity.NOTE }
for _, rules in ipairs({ { prefix = "bits.deviation.", rules = D }, { prefix = "bits.violation.", rules = E } }) do
  for _, rule in pairs(rules.rules) do
    rule.filter = rules.prefix .. rule.name
    experts[rule.filter] = ProtoExpert.new(rule.filter, rule.text, expert.group.PROTOCOL, LEVEL[rule.severity])
  end
end
bits.experts = experts

-- The state of each connection, and the result for each buffer. Wireshark shows packets again in any order, and
-- only the first time in that of the capture.
local streams, results = {}, {}

-- Hands bytes over to `http`. Those that are malformed for it stay undissected.
local function hand_over(tvb, pinfo, tree)
  local is_dissected, length = pcall(http.call, http, tvb, pinfo, tree)
  return is_dissected and length or tvb:len()
end

-- Returns the bytes of a message, as far as they are in the buffer.
local function bytes_of(m, tvb)
  return tvb(m.offset, math.min(m.available, tvb:len() - m.offset))
end

-- Adds a field of the message to the tree.
local function add_line(tree, tvb, m, line)
  local id = line.field.id
  local filter = fields[FILTER_OF[id]]
  local range = tvb(m.offset + line.start, line.finish - line.start)
  local value_range = #line.value > 0 and tvb(m.offset + line.offset, #line.value) or range
  local value, kind = line.value, FILTER[FILTER_OF[id]].type
  local item
  if kind == "uint64" then
    local limit = id == "HostIdFallbackTimeout" and LIMIT.timeout or LIMIT.number
    local digits = id == "ContentLength" and m.content_length or decimal(value, limit)
    item = digits and tree:add(filter, value_range, uint64(digits))
  elseif kind == "uint32" then
    local number = hexadecimal(value)
    item = number and tree:add(filter, value_range, number)
  else
    item = tree:add(filter, value_range, value)
  end
  if not item then item = tree:add(range, line.name .. ": " .. value) end
  local numbers = id == "ContentRange" and content_range(value, function() end)
  if numbers then
    item:add(fields.RangeFirst, value_range, uint64(numbers.first))
    item:add(fields.RangeLast, value_range, uint64(numbers.last))
    item:add(fields.RangeTotal, value_range, uint64(numbers.total))
  end
  return item
end

-- Returns a short description of the message.
local function summary(m)
  local parts = {}
  local function add(part) parts[#parts + 1] = part end
  add(m.kind and m.kind.name or m.is_request and m.method or "Response")
  if m.status then add(tostring(m.status)) end
  local value = function(f) return m.first[f] and m.first[f].value end
  if value("ContentRange") then add(value("ContentRange")) end
  if value("ReceivedContentRange") then add("received " .. value("ReceivedContentRange")) end
  local code = value("Error") or value("ErrorCode")
  local number = code and hexadecimal(code)
  if number then add(HRESULT[number] or code) end
  if value("SessionId") then add(value("SessionId")) end
  return table.concat(parts, " ")
end

-- Shows a message.
local function show(tvb, pinfo, tree, m)
  local range = bytes_of(m, tvb)
  local text = summary(m)
  local is_first = tostring(pinfo.cols.protocol) ~= "BITS"
  local info = is_first and text or tostring(pinfo.cols.info) .. ", " .. text
  if not m.is_request then hand_over(range:tvb(), pinfo, tree) end
  pinfo.cols.info:clear_fence()
  pinfo.cols.protocol, pinfo.cols.info = "BITS", info
  local root = tree:add(bits, range, TITLE .. ", " .. text)
  local start = tvb(m.offset, m.start_length)
  local kind = m.kind and m.kind.kind or m.is_request and OTHER or K.Refusal.kind
  root:add(fields.Kind, start, kind):set_generated()
  if m.kind then root:add(fields.Message, start, m.kind.name):set_generated() end
  if m.ack_for then root:add(fields.AckFor, start, m.ack_for):set_generated() end
  if m.is_request then
    root:add(fields.Method, tvb(m.offset, #m.method), m.method)
    root:add(fields.Target, tvb(m.offset + #m.method + 1, #m.target), m.target)
  else
    root:add(fields.Status, tvb(m.offset + #"HTTP/1.1 ", 3), m.status)
  end
  for _, line in ipairs(m.lines) do
    if line.field then line.item = add_line(root, tvb, m, line) end
  end
  for _, it in ipairs(m.findings) do
    local item = it.line and it.line.item or root
    local where = it.line and it.line.name or it.field
    local section = "[MC-BUP] " .. (it.rule.section or (it.line and it.line.field and it.line.field.section)
      or SECTION_OF_HTTP)
    local message = (where and where .. ": " or "") .. it.rule.text .. " (" .. section .. ")"
    item:add_proto_expert_info(experts[it.rule.filter], message)
    item:add(it.rule.filter:find("^bits.deviation") and fields.Deviation or fields.Violation, it.rule.name)
      :set_generated()
  end
end

-- Returns the length of a body in chunks that starts at `position`, or nil if it is incomplete.
local function chunked_length(text, position)
  local start = position
  while true do
    local last = text:find("\r\n", position, true)
    local size = last and tonumber(text:sub(position, last - 1):match("^%x+") or "", 16)
    if not last then return nil end
    if not size then return 0 end
    position = last + 2 + size + 2
    if size == 0 then
      local _, finish = text:find("\r\n\r\n", last, true)
      return finish and finish - start + 1
    end
    if position > #text + 1 then return nil end
  end
end

-- Returns the length of a body in bytes, DESEGMENT_ONE_MORE_SEGMENT if more bytes are needed to know it, or nil
-- if the rest of the connection belongs to it.
local function body_length(m, request, text)
  if not m.is_request and (has_no_body(m.status) or (request and request.method == "HEAD")) then return 0 end
  if m.malformed then return nil end
  if m.is_chunked then return chunked_length(text, m.length + 1) or DESEGMENT_ONE_MORE_SEGMENT end
  if m.content_length then return tonumber(m.content_length) end
  if m.is_request then return 0 end
  return nil
end

-- Reads the message at an offset. Returns nil if its head is incomplete or not HTTP, and otherwise the message
-- and its body's length.
local function read_message(tvb, offset, state)
  local text = tvb:raw(offset, math.min(tvb:len() - offset, LIMIT.head))
  local m, partial = parse_head(text)
  if not m then return nil, partial end
  m.offset, m.is_bits = offset, is_bits_head(m)
  local request
  if m.is_request then
    table.insert(state.pending, m)
  elseif m.status >= 200 or m.status == 101 then
    request = table.remove(state.pending, 1)
  end
  if not m.is_request and request then m.is_bits = m.is_bits or request.is_bits end
  if m.status and m.status < 200 then m.is_bits = false end
  if m.is_bits then
    check(m, request)
    if request then m.ack_for = request.kind and request.kind.answer end
  end
  m.body = body_length(m, request, m.is_chunked and tvb:raw(offset, tvb:len() - offset) or text)
  return m
end

-- Splits a buffer of a connection that belongs to the protocol into messages. Returns them, and the offset and
-- length of the bytes that have to be reassembled.
local function split(tvb, pinfo, state)
  local result, offset = { messages = {} }, 0
  local side = pinfo.src_port
  local expected = state.expected[side]
  state.expected[side] = nil
  -- The body of a message whose head was shown in an earlier packet.
  if expected == tvb:len() then return result end
  while offset < tvb:len() do
    local saved = {}
    for index, it in ipairs(state.pending) do saved[index] = it end
    local m, is_partial = read_message(tvb, offset, state)
    if not m then
      local rest = tvb:raw(offset, math.min(tvb:len() - offset, LIMIT.head))
      if is_partial or (#rest < LIMIT.head and not rest:find("\n", 1, true)) then
        result.offset, result.more = offset, DESEGMENT_ONE_MORE_SEGMENT
      end
      return result
    end
    local available = tvb:len() - offset - m.length
    local missing = m.body and m.body - available or 0
    if m.body == DESEGMENT_ONE_MORE_SEGMENT then missing = m.body end
    if missing > 0 and (not m.is_bits or m.is_chunked) then
      -- Chunks, and messages that `http` shows, are only read as a whole.
      state.pending = saved
      result.offset, result.more = offset, missing
      return result
    end
    m.available = m.length + math.min(m.body or available, available)
    table.insert(result.messages, m)
    if missing > 0 and missing <= LIMIT.reassembled then
      state.expected[side] = m.body
      result.offset, result.more = offset + m.length, missing
    end
    if missing > 0 or not m.body then return result end
    offset = offset + m.length + m.body
  end
  return result
end

-- Returns true if a buffer starts with a message of the protocol.
local function starts_with_bits(tvb)
  local text = tvb:raw(0, math.min(tvb:len(), LIMIT.head))
  if text:sub(1, #METHOD + 1) == METHOD .. " " then return true end
  local m = parse_head(text)
  return m ~= nil and is_bits_head(m)
end

function bits.init()
  streams, results = {}, {}
  local ports, name = DissectorTable.get("tcp.port"), tostring(http)
  for port = 1, 65535 do
    local it = ports:get_dissector(port)
    if it and tostring(it) == name then ports:add(port, bits) end
  end
end

function bits.dissector(tvb, pinfo, tree)
  local number = stream_field().value
  local state = streams[number] or { pending = {}, expected = {} }
  streams[number] = state
  -- Later, reassembled buffers end before the bytes that belonged to the next buffer.
  local key = pinfo.number .. ":" .. tvb:offset()
  local result = results[key]
  if not result then
    state.is_bits = state.is_bits or starts_with_bits(tvb)
    result = state.is_bits and split(tvb, pinfo, state) or { is_http = true }
    results[key] = result
  end
  if result.is_http then
    pinfo.can_desegment = 2
    return hand_over(tvb, pinfo, tree)
  end
  for _, m in ipairs(result.messages) do
    if m.is_bits then
      show(tvb, pinfo, tree, m)
    else
      hand_over(bytes_of(m, tvb):tvb(), pinfo, tree)
    end
  end
  if result.more and result.offset < tvb:len() then
    pinfo.desegment_offset, pinfo.desegment_len = result.offset, result.more
  end
  return tvb:len()
end

bits:register_heuristic("tcp", function(tvb, pinfo, tree)
  if not starts_with_bits(tvb) then
    local start = tvb:raw(0, math.min(tvb:len(), LIMIT.head)):match("^(.-)\r\n")
    local is_http = start and (start:find("^HTTP/1%.[01] ") or start:find("^%u+ [^%s]+ HTTP/1%.[01]$"))
    if not is_http then return false end
  end
  pinfo.conversation = bits
  bits.dissector(tvb, pinfo, tree)
  return true
end)
DissectorTable.get("tcp.port"):add_for_decode_as(bits)

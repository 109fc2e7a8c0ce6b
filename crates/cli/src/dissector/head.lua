-- The head of a message: start line, fields and the length of the body.

-- Splits the fields of a head, and returns the rule that it violates if its end cannot be determined.
local function fields_of(text, lines)
  local position = text:find("\r\n", 1, true) + 2
  while true do
    local last = text:find("\r\n", position, true)
    if not last or last == position then return nil end
    local name, space, value = text:sub(position, last - 1):match("^([^:%s]+):([ \t]*)(.-)[ \t]*$")
    if not name or value:gsub("\t", ""):find("%c") then return E.Syntax end
    local at = position - 1 + #name + 1 + #space
    lines[#lines + 1] = { name = name, value = value, offset = at, start = position - 1,
      finish = last - 1, field = FIELD[name:lower()] }
    position = last + 2
  end
end

-- Records which fields are present, repeated and in conflict.
local function index_fields(m)
  for _, line in ipairs(m.lines) do
    local f = line.field and line.field.id
    if #line.value > LIMIT.value then m.has_long_value = true end
    if f and not m.first[f] and line.name:lower() ~= line.field.name:lower() then m.spelling[f] = true end
    if f and not (line.value == "" and line.field.absent_when_empty) then
      m.all[f] = m.all[f] or {}
      table.insert(m.all[f], line)
      if not m.first[f] then
        m.first[f] = line
      elseif f == "SupportedProtocols" or line.value == m.first[f].value then
        m.repeated[f] = true
      elseif f ~= "AcceptEncoding" and f ~= "ContentLength" and f ~= "TransferEncoding" then
        m.conflicting[f] = line
      end
    end
  end
end

-- Determines the length of the body. Returns the rule that the head violates, and the line.
local function frame(m)
  local coding = m.first.TransferEncoding
  if coding then
    local is_allowed = not m.is_request and m.version == "1.1" and #m.all.TransferEncoding == 1
      and coding.value:lower() == "chunked" and not m.first.ContentLength
    if not is_allowed then return E.TransferEncoding, coding end
    m.is_chunked = true
  end
  for _, line in ipairs(m.all.ContentLength or {}) do
    for item in (line.value .. ","):gmatch("[ \t]*([^,]-)[ \t]*,") do
      local digits, reason = decimal(item, LIMIT.number)
      if not digits then return reason, line end
      if m.content_length and m.content_length ~= digits then return E.ContentLengthConflict, line end
      if m.content_length then m.repeated.ContentLength = true end
      m.content_length = digits
    end
  end
end

-- Parses the head at the start of `text`. Returns nil if it is incomplete or not HTTP.
local function parse_head(text)
  local _, length = text:find("\n\r?\n")
  local start = text:match("^(.-)\r?\n")
  if not start then return nil end
  local m = { lines = {}, first = {}, all = {}, repeated = {}, conflicting = {}, spelling = {} }
  local method, target, version = start:match("^([^%s]+) ([^%s]+) HTTP/(%d%.%d)$")
  m.method, m.target, m.version, m.is_request = method, target, version, method ~= nil
  if not method then
    local status, reason
    m.version, status, reason = start:match("^HTTP/(%d%.%d) (%d%d%d) ?(.*)$")
    if not status then return nil end
    m.status, m.reason = tonumber(status), reason
  end
  if not length then return nil, m end
  m.length, m.start_length = length, #start
  local head = text:sub(1, length)
  if head:gsub("\r\n", ""):find("\n", 1, true) then
    m.malformed = E.BareLineFeed
  elseif m.version ~= "1.0" and m.version ~= "1.1" then
    m.malformed = E.HttpVersion
  else
    m.malformed = fields_of(head, m.lines)
  end
  index_fields(m)
  if not m.malformed then
    m.malformed, m.malformed_line = frame(m)
  end
  return m
end

-- Returns true for a packet, a notification, or a response that only a server of the protocol sends.
local function is_bits_head(m)
  local first = m.first
  if not m.is_request then
    m.is_notification = first.StaticResponseUrl ~= nil or first.CopyFileToDestination ~= nil
    return m.is_notification or first.PacketType ~= nil
  end
  m.is_notification = m.method == "POST" and (first.OriginalRequestUrl or first.RequestDataFileName
    or first.ResponseDataFileName) ~= nil
  local override = first.MethodOverride
  local claims_bits = first.PacketType or (override and override.value == METHOD)
  return m.method == METHOD or m.is_notification or (m.method == "POST" and claims_bits and true or false)
end

-- The rules that one message shows, or a response and its request. Rules about longer sequences are left to
-- `bits inspect`.

local function carries(kind, f)
  local presence = kind.presence[f]
  return presence == "Required" or presence == "Expected" or presence == "Optional"
end

-- Returns true if the message has one of these fields.
local function has_any(m, fields)
  for _, f in ipairs(fields) do
    if m.first[f] then return true end
  end
  return false
end

-- Fields that only servers of the protocol send, besides the packet type.
local OF_SERVER = { "Protocol", "SessionId", "HostId", "HostIdFallbackTimeout", "ReceivedContentRange",
  "ReplyUrl", "Error", "ErrorCode", "ErrorContext" }
local OF_ERROR = { Error = true, ErrorCode = true, ErrorContext = true }

local function check_conflicts(m, kind, add)
  for f, line in pairs(m.conflicting) do
    if carries(kind, f) then add(E.ConflictingField, line) end
  end
end

-- Checks that fields are defined for the message, and appear once.
local function check_fields(m, kind, add)
  local is_of_other = false
  if kind.is_success then
    for f in pairs(m.first) do
      is_of_other = is_of_other or (kind.presence[f] == "Unexpected" and IS_OF_SUCCESS[f] == true)
    end
  end
  for f, line in pairs(m.first) do
    if kind.presence[f] == "Unexpected" then
      if kind == K.Refusal and f == "Protocol" then add(D.ProtocolOnRefusal, line)
      elseif kind.is_success and OF_ERROR[f] then add(D.ErrorOnSuccess, line)
      elseif not is_of_other then add(D.UnexpectedField, line) end
    elseif carries(kind, f) then
      if m.repeated[f] then add(f == "SupportedProtocols" and D.JoinedProtocols or D.DuplicateField, line) end
      if m.spelling[f] and f == "ReceivedContentRange" then add(D.MisspeltReceived, line) end
    end
  end
end

-- Reads the values of the fields that the message carries. `absent` may decide about a missing field.
local function read_values(m, kind, add, absent)
  local values = {}
  for _, field in ipairs(FIELDS) do
    local f, presence = field.id, kind.presence[field.id]
    local line = m.first[f]
    if line and carries(kind, f) and not m.conflicting[f] then
      local text = line.value
      if f == "SupportedProtocols" then
        local all = {}
        for _, it in ipairs(m.all[f]) do all[#all + 1] = it.value end
        text = table.concat(all, ",")
      end
      if read[f] then values[f] = read[f](text, function(rule) add(rule, line) end) end
    elseif not line and (presence == "Required" or presence == "Expected") and not (absent and absent(f)) then
      if presence == "Required" then add(E.MissingField, nil, field.name) else add(field.absence) end
    end
  end
  return values
end

-- Checks a request. Returns its kind if it is known.
local function check_request(m, add)
  if m.version ~= "1.1" then add(E.HttpVersion) end
  if m.method ~= METHOD then
    local override = m.first.MethodOverride
    local is_override = override and override.value == METHOD
    add(is_override and D.MethodOverride or D.PlainPost)
  end
  local line = m.first.PacketType
  if not line then add(E.MissingField, nil, F.PacketType.name) return nil end
  local kind = PACKET[line.value:lower()]
  if not kind then add(E.UnknownPacketType, line) return nil end
  check_conflicts(m, kind, add)
  check_fields(m, kind, add)
  m.values = read_values(m, kind, add)
  local range, length = m.values.ContentRange, m.content_length
  if kind ~= K.Fragment then
    if length and length ~= "0" then add(D.UnexpectedBody, m.first.ContentLength) end
  elseif range and length and length ~= "0" then
    -- The first requests of an authentication have no body.
    local expected = uint64(range.last) - uint64(range.first) + 1
    if uint64(length) ~= expected then add(E.LengthMismatch, m.first.ContentLength) end
  end
  return not m.conflicting.PacketType and kind or nil
end

local function check_notification(m, add)
  local by_reference = m.first.RequestDataFileName or m.first.ResponseDataFileName
  local kind = by_reference and K.NotificationByReference or K.NotificationByValue
  if m.version ~= "1.1" then add(E.HttpVersion) end
  check_conflicts(m, kind, add)
  check_fields(m, kind, add)
  m.values = read_values(m, kind, add)
  if by_reference and (m.content_length or "0") ~= "0" then add(D.UnexpectedBody, m.first.ContentLength) end
  return kind
end

local function has_no_body(status)
  return status < 200 or status == 204 or status == 205 or status == 304
end

local function check_length(m, kind, add)
  if has_no_body(m.status) then return end
  if m.is_chunked then add(D.ChunkedResponse, m.first.TransferEncoding)
  elseif not m.first.ContentLength then add(F.ContentLength.absence) end
end

local function has_body(m)
  return m.is_chunked or (m.content_length or "0") ~= "0"
end

-- Checks the error fields of a refusal. Their errors are deviations, because the status code suffices.
local function check_refusal(m, add)
  local function detail(f, unreadable)
    local line, is_readable = m.first[f], true
    if not line then return nil end
    local value = read[f](line.value, function() is_readable = false end)
    if not is_readable or m.conflicting[f] then add(unreadable, line) return nil end
    return value, true
  end
  detail("SessionId", D.UnreadableSessionId)
  local error, has_error = detail("Error", D.UnreadableErrorCode)
  local other, has_other = detail("ErrorCode", D.UnreadableErrorCode)
  local context = detail("ErrorContext", D.UnreadableErrorContext)
  if has_error and has_other and error ~= other then add(D.ErrorFieldsDisagree) end
  local code = error
  if not has_error then code = other end
  if code == 0 then code = nil end
  local has_code_field = m.first.Error or m.first.ErrorCode
  local is_unreadable = has_code_field and not has_error and not has_other
  local needs_code = has_code_field or NEEDS_CODE[m.status]
  if code then
    if not m.first.ErrorContext then
      if m.first.PacketType then add(D.MissingErrorContext) end
    elseif context and context ~= 0 and not CONTEXT[context] then
      add(D.UnknownErrorContext, m.first.ErrorContext)
    end
  elseif m.first.ErrorContext and not has_code_field then
    add(D.ContextWithoutError, m.first.ErrorContext)
  elseif m.first.PacketType and not is_unreadable and needs_code and m.status >= 400 and m.status ~= 416 then
    add(D.MissingError)
  end
  detail("ReceivedContentRange", D.UnreadableReceived)
  if m.status == 416 and not m.first.ReceivedContentRange then
    add(E.OutOfSyncWithoutOffset, nil, F.ReceivedContentRange.name)
  end
end

-- Compares the session id of a response with that of its request.
local function check_session(m, request, add)
  local sent, received = request and request.first.SessionId, m.first.SessionId
  if not sent or not received then return end
  local same = sent.value == received.value
    or (guid(sent.value) ~= nil and guid(sent.value) == guid(received.value))
  if not same then add(D.OtherSessionId, received) end
end

-- Returns the kind of a successful response to an unknown request.
local function assumed(m)
  if m.first.Protocol then return K.CreateSessionAck end
  return (m.first.ReceivedContentRange or m.status == 416) and K.FragmentAck or K.PingAck
end

-- Checks a success. `request` is nil if it is unknown.
local function check_success(m, kind, request, add)
  local sent = request and request.values or {}
  m.values = read_values(m, kind, add, function(f)
    if f == "ContentLength" then return true end
    local offered, is_inferred = sent.SupportedProtocols, nil
    if f == "Protocol" then is_inferred = offered and #offered == 1 end
    if f == "ReceivedContentRange" then is_inferred = sent.ContentRange ~= nil end
    if is_inferred == false then add(E.MissingField, nil, F[f].name) return true end
    return false
  end)
  if kind == K.CreateSessionAck then
    local host, timeout = m.first.HostId, m.first.HostIdFallbackTimeout
    if host and not timeout then add(D.HostIdWithoutTimeout, host) end
    if timeout and not host then add(D.TimeoutWithoutHostId, timeout) end
    local is_offered = not sent.SupportedProtocols or not m.values.Protocol
    for _, it in ipairs(sent.SupportedProtocols or {}) do is_offered = is_offered or it == m.values.Protocol end
    if not is_offered then add(E.NotOffered, m.first.Protocol) end
  elseif kind == K.FragmentAck and sent.ContentRange and m.first.ReplyUrl then
    local range, received = sent.ContentRange, m.values.ReceivedContentRange
    local is_last = uint64(range.last) + 1 == uint64(range.total)
    if not is_last and received and received ~= range.total then add(D.EarlyReplyUrl, m.first.ReplyUrl) end
  end
end

-- Checks the response to a packet. Returns its kind.
local function check_ack(m, request, add)
  local is_success = m.status >= 200 and m.status < 300
  if m.version == "1.0" then add(D.Http10) end
  local line = m.first.PacketType
  if not line then
    if is_success then add(E.NotAnAck, nil, F.PacketType.name) return nil end
    local is_challenge = m.status == 401 or m.status == 407
    if has_any(m, OF_SERVER) or not is_challenge then add(F.PacketType.absence) end
    for _, f in ipairs({ "ReceivedContentRange", "Error", "ErrorCode", "ErrorContext" }) do
      if m.repeated[f] then add(D.DuplicateField, m.first[f]) end
      if m.spelling[f] and f == "ReceivedContentRange" then add(D.MisspeltReceived, m.first[f]) end
    end
    check_refusal(m, add)
    return K.Refusal
  end
  local kind = K.Refusal
  if is_success then kind = request and request.kind and request.kind.ack or assumed(m) end
  if line.value:lower() ~= ACK then add(E.WrongPacketType, line) end
  if kind ~= K.Refusal then check_conflicts(m, kind, add)
  elseif m.conflicting.PacketType then add(E.ConflictingField, m.conflicting.PacketType) end
  check_fields(m, kind, add)
  if is_success and m.status ~= 200 then
    if m.status ~= 201 then add(D.UnexpectedSuccess)
    elseif kind ~= K.CreateSessionAck and kind ~= K.CloseSessionAck then add(D.UnexpectedCreated) end
  end
  if m.has_long_value then add(D.LongValue) end
  check_length(m, kind, add)
  if not has_no_body(m.status) and has_body(m) then add(D.UnexpectedBody) end
  check_session(m, request, add)
  if kind == K.Refusal then check_refusal(m, add) else check_success(m, kind, request, add) end
  return kind
end

local function check_notification_response(m, request, add)
  local kind = K.NotificationResponse
  check_conflicts(m, kind, add)
  if m.version == "1.0" then add(D.Http10) end
  local is_success = m.status >= 200 and m.status < 300
  if is_success and m.status ~= 200 then add(D.ApplicationSuccess) end
  check_fields(m, kind, add)
  check_length(m, kind, add)
  local by_reference = request and request.kind == K.NotificationByReference
  local is_empty = m.first.StaticResponseUrl or (by_reference and is_success and not m.is_chunked)
  if is_empty and has_body(m) then add(D.UnexpectedBody, m.first.ContentLength) end
  m.values = read_values(m, kind, add, function(f) return f == "ContentLength" end)
  return kind
end

-- Checks a message with a complete head. `request` is that of a response, or nil if it is unknown.
local function check(m, request)
  m.findings = {}
  local seen = {}
  local function add(rule, line, field)
    local key = rule.name .. (line and line.offset or "") .. (field or "")
    if not seen[key] then table.insert(m.findings, { rule = rule, line = line, field = field }) end
    seen[key] = true
  end
  if m.has_long_value and m.is_request and not m.is_notification then add(E.ValueTooLong) end
  if m.malformed then
    local line = m.malformed_line and m.is_request and m.first.PacketType
    m.kind = line and PACKET[line.value:lower()] or nil
    add(m.malformed, m.malformed_line)
  elseif m.is_request and m.is_notification then m.kind = check_notification(m, add)
  elseif m.is_request then m.kind = check_request(m, add)
  elseif (request or m).is_notification then m.kind = check_notification_response(m, request, add)
  else m.kind = check_ack(m, request, add) end
end

-- The grammar of field values. Each function reads a value, and calls `add` with each rule that it violates.

-- Returns a number without leading zeros as text: numbers of Lua have only 53 bits.
local function decimal(text, max)
  if not text:find("^%d+$") then return nil, E.NotDecimal end
  local digits = text:gsub("^0+(%d)", "%1")
  if #digits > #max or (#digits == #max and digits > max) then return nil, E.NumberTooLarge end
  return digits
end

-- Returns true if the first number is less than the second one.
local function is_less(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end

-- Returns a number for a field of 64 bits.
local function uint64(digits)
  local number = UInt64(0)
  for digit in digits:gmatch("%d") do number = number * 10 + tonumber(digit) end
  return number
end

local function hexadecimal(text)
  local digits = text:match("^0?[xX](.*)$") or text
  if #digits > 8 or not digits:find("^%x+$") then return nil, E.NotHexadecimal end
  return tonumber(digits, 16)
end

-- Returns the digits of a GUID in lower case, and true if it is in braces.
local function guid(text)
  local inner = text:match("^{(.*)}$")
  local digits = inner or text
  local hex = function(count) return string.rep("%x", count) end
  local pattern = "^" .. table.concat({ hex(8), hex(4), hex(4), hex(4), hex(12) }, "%-") .. "$"
  if not digits:find(pattern) then return nil end
  return digits:lower(), inner ~= nil
end

-- Parses 'bytes FIRST-LAST/TOTAL'.
local function content_range(text, add)
  local unit, space, rest = text:match("^(%a+)([ \t]+)(.*)$")
  if not unit or unit:lower() ~= "bytes" then add(E.NotByteRange) return nil end
  local parts = {}
  for index, separator in ipairs({ "^%-", "^/", "^$" }) do
    local digits, reason = decimal(rest:match("^%d*"), LIMIT.number)
    if not digits then add(reason) return nil end
    parts[index], rest = digits, rest:gsub("^%d*", "")
    if not rest:find(separator) then add(E.NotByteRange) return nil end
    rest = rest:sub(2)
  end
  local first, last, total = parts[1], parts[2], parts[3]
  if is_less(last, first) then add(E.FirstBeyondLast) return nil end
  if not is_less(last, total) then add(E.LastBeyondTotal) return nil end
  if space ~= " " then add(D.RangeWhiteSpace) end
  return { first = first, last = last, total = total }
end

local function guids(text, add)
  local found = {}
  for item in text:gmatch("[^ \t,]+") do
    if #found == LIMIT.protocols then add(D.ExcessProtocols) break end
    local digits, has_braces = guid(item)
    if not digits then add(E.NotGuid) return nil end
    if not has_braces then add(D.UnbracedGuid) end
    found[#found + 1] = digits
  end
  if #found == 0 then add(E.ProtocolCount) return nil end
  return found
end

-- Checks a URL. Returns true if it is absolute, false if it is relative, and nil if it is invalid.
local function is_absolute(text, add)
  if text == "" then add(E.Empty) return nil end
  local scheme, rest = text:match("^(%a[%w+.-]*):(.*)$")
  if not scheme then return false end
  scheme = scheme:lower()
  if scheme ~= "http" and scheme ~= "https" then add(E.UnsupportedScheme) return nil end
  local authority = rest:match("^//([^/?#\\]*)")
  local host = (authority or ""):gsub("^.*@", "")
  local name = host:match("^(%[[^%]]*%]):?%d*$") or host:match("^([^:]*):?%d*$") or ""
  if name == "" or name:find('[^!-~]') or name:find('["<>\\^`{|}]') then
    add(E.NotAbsoluteUrl)
    return nil
  end
  return true
end

-- Checks a host name or an address with an optional port.
local function host_id(text, add)
  if text == "" then add(E.Empty) return end
  local host, port = text:match("^(%[[%x:.]+%]):(%d+)$")
  if not host then host, port = text:match("^([^:]*):(%d+)$") end
  if port then add(D.HostIdPort) end
  if port and not decimal(port, LIMIT.port) then add(E.NotHost) return end
  host = host or text
  local is_ipv6 = host:find("^%[?[%x:]*:[%x:.]*%]?$") ~= nil
  local is_name = host:find("^[%w_-]+%.?$") or host:find("^[%w_-][%w_.-]*[%w_-]%.?$")
  if not is_ipv6 and (not is_name or host:find("%.%.")) then add(E.NotHost) end
end

local function coding(text, rule, add)
  if text:lower() ~= CODING then add(rule) end
end

-- The values of fields, by identifier. Fields without a function here may have any value.
local read = {
  SessionId = function(text, add)
    if text == "" then add(E.Empty)
    elseif #text > LIMIT.session_id then add(E.TooLong)
    elseif text:find("[^!-~]") then add(E.InvalidByte) end
  end,
  SupportedProtocols = guids,
  Protocol = function(text, add)
    local digits, has_braces = guid(text)
    if not digits then add(E.NotGuid) elseif not has_braces then add(D.UnbracedGuid) end
    return digits
  end,
  HostId = host_id,
  HostIdFallbackTimeout = function(text, add)
    local digits, reason = decimal(text, LIMIT.timeout)
    return digits or add(reason)
  end,
  OriginalRequestUrl = function(text, add)
    local ignored = function() end
    if text == "" then add(E.Empty)
    elseif not is_absolute(text, ignored) then add(D.RelativeOriginalUrl) end
  end,
  RequestDataFileName = function(text, add) if text == "" then add(E.Empty) end end,
  ResponseDataFileName = function(text, add) if text == "" then add(E.Empty) end end,
  StaticResponseUrl = function(text, add)
    if is_absolute(text, add) == false then add(D.RelativeStaticUrl) end
  end,
  ContentName = function(text, add)
    if #text > LIMIT.value then add(E.TooLong)
    elseif #text > LIMIT.content_name then add(D.LongContentName) end
  end,
  ContentRange = content_range,
  ContentEncoding = function(text, add) coding(text, E.UnsupportedEncoding, add) end,
  AcceptEncoding = function(text, add) coding(text, D.UnsupportedAcceptEncoding, add) end,
  ReceivedContentRange = function(text, add)
    local digits, reason = decimal(text, LIMIT.number)
    return digits or add(reason)
  end,
  ReplyUrl = function(text, add)
    if is_absolute(text, add) ~= nil and #text > LIMIT.reply_url then add(D.LongReplyUrl) end
  end,
  Error = function(text, add)
    local code, reason = hexadecimal(text)
    return code or add(reason)
  end,
}
read.ErrorCode, read.ErrorContext = read.Error, read.Error

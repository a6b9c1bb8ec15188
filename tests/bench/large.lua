-- A chat completion of about 32 KB with twenty e-mail addresses in it.
local text = ""
for number = 1, 20 do
  text = text .. "Customer " .. number .. " is bob" .. number .. "@example.org. "
    .. string.rep("The order was sent on Monday and takes three days. ", 31)
end
wrk.method = "POST"
wrk.path = "/v1/chat/completions"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"auto","messages":[{"role":"system","content":"You answer customers."},'
  .. '{"role":"user","content":"' .. text .. '"}]}'

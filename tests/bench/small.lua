-- A chat completion of about 1 KB with an e-mail address and a telephone number in it.
local text = "Please write a friendly answer to bob.builder@example.org, who asks by telephone "
  .. "(+49 30 901820) when his order will arrive. "
text = text .. string.rep("It was sent on Monday and takes three days. ", 18)
wrk.method = "POST"
wrk.path = "/v1/chat/completions"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"auto","messages":[{"role":"system","content":"You answer customers."},'
  .. '{"role":"user","content":"' .. text .. '"}]}'

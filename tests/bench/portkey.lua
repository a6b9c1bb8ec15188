-- The small request, with the headers that tell Portkey's gateway where to send it.
dofile((debug.getinfo(1, "S").source:sub(2):match("(.*/)") or "./") .. "small.lua")
wrk.headers["Authorization"] = "Bearer none"
wrk.headers["x-portkey-provider"] = "openai"
wrk.headers["x-portkey-custom-host"] = "http://127.0.0.1:" .. os.getenv("UPSTREAM") .. "/v1"
wrk.body = wrk.body:gsub('"auto"', '"stand-in-1"', 1)

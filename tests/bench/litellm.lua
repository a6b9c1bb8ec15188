-- The small request, for a model that LiteLLM's proxy is configured with.
dofile((debug.getinfo(1, "S").source:sub(2):match("(.*/)") or "./") .. "small.lua")
wrk.body = wrk.body:gsub('"auto"', '"stand-in-1"', 1)

module github.com/ringfence/ringfence/sdk/go

go 1.24

{ hello: "${not touched here}" }

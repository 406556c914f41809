// Package contract carries openapi.yaml into the binary. A file can be embedded only from its own folder, so make generate
// copies it here, and a test fails when the copy is stale.
package contract

import _ "embed"

// YAML is openapi.yaml.
//
//go:embed openapi.yaml
var YAML []byte

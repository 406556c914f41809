// Package cursus carries the contract into the binary. It stands here because a file can only be embedded from its own folder.
package cursus

import _ "embed"

// Contract is openapi.yaml.
//
//go:embed openapi.yaml
var Contract []byte

// Package api serves openapi.yaml: it lets in who may, reads strictly what was sent, asks the rooms and answers.
//
// The contract is read when the process starts and drives the rest: an operation's scope (x-scope), the size of its body
// (x-max-bytes) and its time (x-timeout-seconds) stand there, and so does the form of every parameter and body. The generated
// server binds and routes; it sees only what has passed the contract.
package api

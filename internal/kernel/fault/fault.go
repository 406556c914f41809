// Package fault is the closed set of ways in which Cursus refuses or fails.
//
// A Fault carries a kind (what a caller may do about it), a stable code (what a program may switch on), a detail that is
// safe to show, and the fields that are wrong. It knows nothing of HTTP: transport/api turns kinds into status codes and
// faults into RFC 9457 problems. The cause, if any, is for the log only and never leaves the house.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what a caller may do about a fault.
type Kind uint8

// The kinds. Internal is the zero value on purpose: what nobody classified is our failure.
const (
	Internal        Kind = iota // we failed; the request may be repeated with the same idempotency key
	Invalid                     // the input is malformed; change it
	Unauthenticated             // sign in
	Forbidden                   // signed in, but not allowed
	NotFound                    // no such object, or not yours to know of
	Conflict                    // the state of the object does not allow it
	Precondition                // the object changed since it was read
	Unprocessable               // well-formed, but a rule refuses it
	TooLarge                    // too many bytes or rows
	Unsupported                 // media type or encoding
	TooMany                     // slow down
	Unavailable                 // a dependency or a setting is missing; try later
)

// Field points to one wrong place in the input: a JSON pointer, or file:line:column.
type Field struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// Fault is an error with a kind, a stable code and a detail that is safe to show.
type Fault struct {
	Kind   Kind
	Code   string
	Detail string
	Fields []Field
	Wait   int // seconds after which it can be tried again; 0: not said
	cause  error
}

// New makes a fault. Rooms declare theirs once, in faults.go.
func New(kind Kind, code, detail string) *Fault {
	return &Fault{Kind: kind, Code: code, Detail: detail}
}

// Error is for logs; it includes the cause.
func (f *Fault) Error() string {
	if f.cause != nil {
		return fmt.Sprintf("%s: %s: %v", f.Code, f.Detail, f.cause)
	}
	return f.Code + ": " + f.Detail
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.cause }

// Is makes errors.Is compare by code, so that a declared fault matches its detailed copies.
func (f *Fault) Is(target error) bool {
	t, ok := target.(*Fault)
	return ok && t.Code == f.Code
}

// Because returns a copy with a cause for the log.
func (f *Fault) Because(cause error) *Fault {
	c := *f
	c.cause = cause
	return &c
}

// Detailf returns a copy with another detail.
func (f *Fault) Detailf(format string, args ...any) *Fault {
	c := *f
	c.Detail = fmt.Sprintf(format, args...)
	return &c
}

// After returns a copy that says when it can be tried again, in seconds.
func (f *Fault) After(seconds int) *Fault {
	c := *f
	c.Wait = seconds
	return &c
}

// Of returns a copy of another kind: what is not found at an address is unprocessable in a body.
func (f *Fault) Of(kind Kind) *Fault {
	c := *f
	c.Kind = kind
	return &c
}

// At returns a copy that also points to a field.
func (f *Fault) At(pointer, code, detail string) *Fault {
	c := *f
	c.Fields = append(append([]Field(nil), f.Fields...), Field{Pointer: pointer, Code: code, Detail: detail})
	return &c
}

// From finds the fault in an error chain; anything else becomes an Internal fault that keeps the error as its cause.
func From(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return New(Internal, "internal", "Something failed on our side. Nothing was lost; please try again.").Because(err)
}

// InvalidInput is the fault that collects field errors.
func InvalidInput(fields ...Field) *Fault {
	return &Fault{Kind: Invalid, Code: "invalid-input", Detail: "The input does not have the documented form.", Fields: fields}
}

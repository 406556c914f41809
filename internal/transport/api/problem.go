package api

import (
	"context"
	"errors"
	"net/http"

	contract "cursus/api"
	"cursus/internal/kernel/fault"
)

// statuses gives each kind of fault its status and its words.
var statuses = map[fault.Kind]struct {
	status int
	title  string
}{
	fault.Internal:        {http.StatusInternalServerError, "Our failure"},
	fault.Invalid:         {http.StatusBadRequest, "Bad input"},
	fault.Unauthenticated: {http.StatusUnauthorized, "Not signed in"},
	fault.Forbidden:       {http.StatusForbidden, "Not allowed"},
	fault.NotFound:        {http.StatusNotFound, "Not found"},
	fault.Conflict:        {http.StatusConflict, "Conflict"},
	fault.Precondition:    {http.StatusPreconditionFailed, "Changed meanwhile"},
	fault.Unprocessable:   {http.StatusUnprocessableEntity, "Refused"},
	fault.TooLarge:        {http.StatusRequestEntityTooLarge, "Too large"},
	fault.Unsupported:     {http.StatusUnsupportedMediaType, "Unsupported"},
	fault.TooMany:         {http.StatusTooManyRequests, "Too many requests"},
	fault.Unavailable:     {http.StatusServiceUnavailable, "Not available now"},
}

// Faults of the door itself.
var (
	errNoToken      = fault.New(fault.Unauthenticated, "not-signed-in", "The credentials are missing, wrong, expired or revoked.")
	errNoScope      = fault.New(fault.Forbidden, "scope-missing", "The token lacks a scope.")
	errStepUp       = fault.New(fault.Unauthenticated, "step-up-required", "This asks for a sign-in of the last ten minutes. Sign in again, for another token.")
	errPersonOnly   = fault.New(fault.Forbidden, "person-required", "Keys and roles are given and taken by people, and not by systems.")
	errEncoding     = fault.New(fault.Unsupported, "encoded-body", "A body is not sent compressed; a report may be a gzip file, as application/gzip.")
	errMediaType    = fault.New(fault.Unsupported, "wrong-content-type", "The body is of another type than this operation takes.")
	errBody         = fault.New(fault.Invalid, "unexpected-body", "This operation takes no body.")
	errNoBody       = fault.New(fault.Invalid, "body-missing", "The body is missing.")
	errCut          = fault.New(fault.Invalid, "body-incomplete", "The body ended before it was whole.")
	errTooLarge     = fault.New(fault.TooLarge, "body-too-large", "The body is too large.")
	errUploads      = fault.New(fault.TooMany, "too-many-uploads", "Other reports are being imported just now.")
	errTooSlow      = fault.New(fault.Unavailable, "timeout", "The answer took too long. What was begun is either done whole or not at all; please try again.")
	errNoAddress    = fault.New(fault.NotFound, "no-such-address", "There is no operation at this address.")
	errTokenRequest = fault.New(fault.Invalid, "bad-token-request", "The request for a token cannot be read.")
	errGrantType    = fault.New(fault.Invalid, "grant-not-supported", "The grant is client_credentials.")
	errTokenScope   = fault.New(fault.Invalid, "bad-token-scope", "The client does not have this scope.")
	errTokenClient  = fault.New(fault.Unauthenticated, "bad-client", "The client is not known, or its key is wrong, has ended or is not taken from there.")
	errBadRequest   = fault.New(fault.Invalid, "bad-request", "The request cannot be read.")
)

// oauthErrors are the refusals of a token by code, in the words of RFC 6749, 5.2.
var oauthErrors = map[string]contract.ProblemError{
	errTokenRequest.Code: contract.ProblemErrorInvalidRequest, errGrantType.Code: contract.ProblemErrorUnsupportedGrantType,
	errTokenScope.Code: contract.ProblemErrorInvalidScope, errTokenClient.Code: contract.ProblemErrorInvalidClient,
}

// problem turns an error into what the caller is told.
func problem(err error, requestID string) contract.Problem {
	var known *fault.Fault
	if !errors.As(err, &known) && errors.Is(err, context.DeadlineExceeded) {
		err = errTooSlow.Because(err)
	}
	f := fault.From(err)
	k := statuses[f.Kind]
	p := contract.Problem{
		Type: "urn:problem:cursus:" + f.Code, Title: k.title, Status: k.status, Detail: clip(f.Detail, 900), Code: f.Code, RequestId: requestID,
	}
	if word, ok := oauthErrors[f.Code]; ok {
		p.Error = &word
	}
	if len(f.Fields) > 0 {
		var fields []contract.FieldError
		for _, w := range f.Fields[:min(len(f.Fields), maxErrors)] {
			fields = append(fields, contract.FieldError{Pointer: clip(w.Pointer, 900), Code: w.Code, Detail: clip(w.Detail, 900)})
		}
		p.Errors = &fields
	}
	return p
}

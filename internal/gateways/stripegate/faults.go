package stripegate

import (
	"errors"
	"net/http"

	"github.com/stripe/stripe-go/v76"

	"cursus/internal/kernel/fault"
)

// The faults of this room. Their details are safe to show; Stripe's own words are the cause, for the log.
var (
	ErrCurrency    = fault.New(fault.Unprocessable, "stripe-currency", "Stripe does not take payments in this currency as we count it.")
	ErrAmount      = fault.New(fault.Unprocessable, "stripe-amount", "Stripe does not take this amount.")
	ErrNoKey       = fault.New(fault.Internal, "stripe-no-idempotency-key", "A call that creates something carries a key made from our row.")
	ErrRefused     = fault.New(fault.Unprocessable, "stripe-refused", "The payment provider refused the request.")
	ErrDeclined    = fault.New(fault.Unprocessable, "stripe-declined", "The card was declined.")
	ErrFinished    = fault.New(fault.Conflict, "stripe-checkout-finished", "The pay page is already complete or closed.")
	ErrKeyReused   = fault.New(fault.Conflict, "stripe-key-reused", "The same key was used with other parameters at the payment provider.")
	ErrUnknown     = fault.New(fault.NotFound, "stripe-not-found", "The payment provider does not know this object.")
	ErrAuth        = fault.New(fault.Unavailable, "stripe-credentials", "Our credentials at the payment provider do not work.")
	ErrUnavailable = fault.New(fault.Unavailable, "stripe-unavailable", "The payment provider cannot be reached now; please try again.")
	ErrSignature   = fault.New(fault.Unauthenticated, "stripe-signature", "The signature does not fit the event, or is too old or from the future.")
	ErrEvent       = fault.New(fault.Invalid, "stripe-event", "The body is not an event of Stripe.")
)

// errHalf is the cause where a 2xx does not hold what was asked for: a proxy's page, or half an answer.
var errHalf = errors.New("stripe: the answer lacks the id of what was made")

// faultOf gives an error of Stripe's library its place among our kinds.
func faultOf(err error) error {
	if err == nil {
		return nil
	}
	var e *stripe.Error
	if !errors.As(err, &e) {
		return ErrUnavailable.Because(err) // the network, a time-out, or an answer that is not Stripe's
	}
	switch {
	case e.HTTPStatusCode == http.StatusTooManyRequests, e.HTTPStatusCode >= http.StatusInternalServerError,
		e.HTTPStatusCode == http.StatusConflict, e.Type == stripe.ErrorTypeAPI:
		return ErrUnavailable.Because(err)
	case e.HTTPStatusCode == http.StatusUnauthorized, e.HTTPStatusCode == http.StatusForbidden:
		return ErrAuth.Because(err)
	case e.Type == stripe.ErrorTypeIdempotency:
		return ErrKeyReused.Because(err)
	case e.Type == stripe.ErrorTypeCard:
		return ErrDeclined.Because(err)
	case e.HTTPStatusCode == http.StatusNotFound:
		return ErrUnknown.Because(err)
	}
	return ErrRefused.Because(err)
}

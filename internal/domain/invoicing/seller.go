package invoicing

import (
	"context"
	"time"

	"cursus/internal/platform/postgres"
)

// SellerTx is who would write the documents of an order. Error: ErrNoIssuer.
func SellerTx(ctx context.Context, tx *postgres.Tx, by Issuer, n NewDocument) (Seller, error) {
	s, err := sourceTx(ctx, tx, by, n)
	return s.issuer.Seller, err
}

// ZoneTx is where the months of who would write the documents of an order begin and end. Error: ErrNoIssuer.
func ZoneTx(ctx context.Context, tx *postgres.Tx, by Issuer, n NewDocument) (*time.Location, error) {
	s, err := sourceTx(ctx, tx, by, n)
	if err != nil {
		return nil, err
	}
	return time.LoadLocation(s.issuer.Zone)
}

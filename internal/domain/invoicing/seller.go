package invoicing

import (
	"context"

	"cursus/internal/platform/postgres"
)

// SellerTx is who would write the documents of an order. Error: ErrNoIssuer.
func SellerTx(ctx context.Context, tx *postgres.Tx, by Issuer, n NewDocument) (Seller, error) {
	s, err := sourceTx(ctx, tx, by, n)
	return s.issuer.Seller, err
}

package sales

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/offers"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// VoucherStanding is a voucher with what became of it: uses in orders that were paid, and in orders that can still be paid.
type VoucherStanding struct {
	offers.Voucher
	Used int `json:"used"`
	Held int `json:"held"`
}

// Use is a voucher in a line of an order. A use that is free again is not counted.
type Use struct {
	OrderID string       `json:"order_id"`
	Line    int          `json:"line"`
	Code    string       `json:"code"` // as it is printed
	Units   int          `json:"units"`
	Off     money.Amount `json:"off"`
	State   string       `json:"state"` // held, used, free
	At      time.Time    `json:"at"`
}

// VoucherTx finds a voucher with what became of it. The actor sees all orders, or the numbers are too small.
func VoucherTx(ctx context.Context, tx *postgres.Tx, id string) (VoucherStanding, error) {
	v, err := offers.VoucherTx(ctx, tx, id)
	if err != nil {
		return VoucherStanding{}, err
	}
	all, err := voucherStandings(ctx, tx, []offers.Voucher{v})
	if err != nil {
		return VoucherStanding{}, err
	}
	return all[0], nil
}

// VouchersTx lists vouchers with what became of them, the newest first.
func VouchersTx(ctx context.Context, tx *postgres.Tx, f offers.VoucherFilter, p page.Request) ([]VoucherStanding, string, error) {
	all, next, err := offers.VouchersTx(ctx, tx, f, p)
	if err != nil {
		return nil, "", err
	}
	out, err := voucherStandings(ctx, tx, all)
	return out, next, err
}

func voucherStandings(ctx context.Context, tx *postgres.Tx, all []offers.Voucher) ([]VoucherStanding, error) {
	ids, out := make([]string, len(all)), make([]VoucherStanding, len(all))
	for i, v := range all {
		ids[i], out[i].Voucher = v.ID, v
	}
	var rows []struct {
		VoucherID string `db:"voucher_id"`
		Used      int    `db:"used"`
		Held      int    `db:"held"`
	}
	err := tx.Select(ctx, &rows, q.Q("VoucherUses"), pq.Array(ids), tx.Now())
	for _, r := range rows {
		for i := range out {
			if out[i].ID == r.VoucherID {
				out[i].Used, out[i].Held = r.Used, r.Held
			}
		}
	}
	return out, err
}

// UsesTx lists the uses of a voucher, the newest orders first.
func UsesTx(ctx context.Context, tx *postgres.Tx, voucherID string, p page.Request) (out []Use, next string, err error) {
	if _, err := offers.VoucherTx(ctx, tx, voucherID); err != nil {
		return nil, "", err
	}
	var rows []struct {
		OrderID  string    `db:"order_id"`
		Line     int       `db:"line"`
		Code     string    `db:"shown"`
		Uses     int       `db:"uses"`
		Off      int64     `db:"off_minor"`
		Currency string    `db:"currency"`
		State    string    `db:"state"`
		At       time.Time `db:"at"`
	}
	if err := tx.Select(ctx, &rows, q.Q("Uses"), voucherID, p.After, p.Limit+1, tx.Now()); err != nil {
		return nil, "", err
	}
	if len(rows) > p.Limit {
		rows = rows[:p.Limit]
		last := rows[p.Limit-1]
		next = last.OrderID + "/" + strconv.Itoa(last.Line)
	}
	for _, r := range rows {
		out = append(out, Use{r.OrderID, r.Line, r.Code, r.Uses, money.Of(r.Off, money.Currency(r.Currency)), r.State, r.At})
	}
	return out, next, nil
}

// CodeStanding is a code of a voucher with what became of it: free, held or used, and by which order.
type CodeStanding struct {
	Code    string `db:"shown"`
	State   string `db:"state"`
	OrderID string `db:"order_id"`
}

// CodesTx lists the codes of a voucher in the order of their making.
func CodesTx(ctx context.Context, tx *postgres.Tx, voucherID string) (out []CodeStanding, err error) {
	if _, err := offers.VoucherTx(ctx, tx, voucherID); err != nil {
		return nil, err
	}
	err = tx.Select(ctx, &out, q.Q("CodesOf"), voucherID, tx.Now())
	return out, err
}

// count counts how often others use a voucher; the order that it is for does not count. What it counts may change until the
// transaction ends, unless the voucher's lock is held.
func count(ctx context.Context, tx *postgres.Tx, v *offers.Presented, buyerID, orderID string) (*offers.Presented, error) {
	folded, _ := offers.FoldCode(v.Code)
	var used struct {
		Used     int `db:"used"`
		UsedBy   int `db:"used_by"`
		UsedCode int `db:"used_code"`
	}
	err := tx.Get(ctx, &used, q.Q("Redeemed"), v.Voucher.ID, folded, buyerID, orderID, tx.Now())
	v.Used, v.UsedBy, v.UsedCode = used.Used, used.UsedBy, used.UsedCode
	return v, err
}

// taken says that others took meanwhile what an order that is paid late needs: its seat, its price or its voucher.
func taken(err error) bool {
	return errors.Is(err, ErrSoldOut) || errors.Is(err, ErrQuota) || errors.Is(err, ErrEarlyGone) || errors.Is(err, offers.ErrVoucherUsedUp) || errors.Is(err, offers.ErrVoucherUsedByYou) || errors.Is(err, offers.ErrCodeUsed)
}

package outreach

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"net/textproto"
	"strings"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Bounce is what a report on the delivery of a mail says of one recipient (RFC 3464).
type Bounce struct {
	Address   string // in the form in which we keep it
	Status    string // enhanced status code, such as 5.1.1
	MessageID string // of the mail that came back, where the report has its headers
	Hard      bool   // it takes no mail and will not
}

// maxReport bounds what is read of a report: it may carry the whole mail back.
const maxReport = 1 << 20

// ReadBounces reads a report on the delivery of a mail. A delay is no bounce; a full mailbox (5.2.2) is one, but not a hard one. Error:
// ErrNotABounce.
func ReadBounces(r io.Reader) ([]Bounce, error) {
	m, err := netmail.ReadMessage(bufio.NewReader(io.LimitReader(r, maxReport)))
	if err != nil {
		return nil, ErrNotABounce.Because(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || !strings.EqualFold(params["report-type"], "delivery-status") {
		return nil, ErrNotABounce
	}
	var all []Bounce
	var messageID string
	status := false
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := parts.NextPart()
		if err != nil {
			break // also where the report was cut: what was read holds
		}
		body, err := io.ReadAll(p)
		if err != nil {
			break
		}
		switch kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); kind {
		case "message/delivery-status":
			status = true
			all = append(all, readStatus(body)...)
		case "message/rfc822", "text/rfc822-headers":
			h, _ := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(body), strings.NewReader("\r\n\r\n")))).ReadMIMEHeader()
			messageID = strings.Trim(strings.TrimSpace(h.Get("Message-Id")), "<>")
		}
	}
	if !status {
		return nil, ErrNotABounce
	}
	for i := range all {
		all[i].MessageID = messageID
	}
	return all, nil
}

// readStatus reads the groups of fields of a delivery status: the first is about the mail, each other about a recipient.
func readStatus(body []byte) (all []Bounce) {
	r := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(body), strings.NewReader("\r\n\r\n"))))
	for {
		h, err := r.ReadMIMEHeader()
		if len(h) == 0 && err != nil {
			return all
		}
		if !strings.EqualFold(strings.TrimSpace(h.Get("Action")), "failed") {
			continue
		}
		code, _, _ := strings.Cut(strings.TrimSpace(h.Get("Status")), " ")
		address := addressOf(h.Get("Original-Recipient"))
		if address == "" {
			address = addressOf(h.Get("Final-Recipient"))
		}
		if address != "" && (strings.HasPrefix(code, "5.") || strings.HasPrefix(code, "4.")) && len(code) <= 11 {
			all = append(all, Bounce{Address: address, Status: code, Hard: strings.HasPrefix(code, "5.") && code != "5.2.2"})
		}
	}
}

// addressOf reads "rfc822; somebody@example.org".
func addressOf(field string) string {
	kind, address, found := strings.Cut(field, ";")
	if !found || !strings.EqualFold(strings.TrimSpace(kind), "rfc822") {
		return ""
	}
	address, err := identity.NormalEmail(strings.Trim(strings.TrimSpace(address), "<>"))
	if err != nil {
		return ""
	}
	return address
}

// BouncesTx takes in what a report says and gives how many of its recipients are ours. The mail that came back, if it is one of a campaign and
// was to that address, has bounced; after a hard bounce nothing of this room goes to the address any more.
func BouncesTx(ctx context.Context, tx *postgres.Tx, all []Bounce) (n int, err error) {
	for _, b := range all {
		var known bool
		if err := tx.Get(ctx, &known, q.Q("KnownAddress"), b.Address); err != nil {
			return 0, err
		}
		if !known {
			continue
		}
		n++
		recipient, _, _ := strings.Cut(b.MessageID, "@")
		if _, err := tx.Exec(ctx, q.Q("Bounced"), recipient, b.Address, b.Status, tx.Now()); err != nil {
			return 0, err
		}
		if !b.Hard {
			continue
		}
		if err := deadTx(ctx, tx, b.Address, b.Status); err != nil {
			return 0, err
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "address.bounced", Object: recipient, Detail: map[string]string{"status": b.Status}}); err != nil {
			return 0, err
		}
	}
	return n, audit.AppendTx(ctx, tx, audit.Entry{Action: "mail_report.read", Object: "outreach", Detail: map[string]int{"recipients": len(all), "known": n}})
}

package identity

import (
	"context"
	"database/sql"
	"errors"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Person is somebody that we know. The address is empty for learners whom a grade report brought.
type Person struct {
	ID        string    `db:"id"`
	Email     string    `db:"email"`
	FullName  string    `db:"full_name"`
	Lang      string    `db:"lang"`
	CreatedAt time.Time `db:"created_at"`
}

// NormalEmail gives an address in the one form in which we keep it.
func NormalEmail(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) < 3 || len(s) > 254 || strings.ContainsAny(s, "\x00\r\n") {
		return "", ErrEmail
	}
	return s, nil
}

// PersonTx finds a person by id.
func PersonTx(ctx context.Context, tx *postgres.Tx, id string) (Person, error) {
	var p Person
	err := tx.Get(ctx, &p, q.Q("Person"), id)
	if errors.Is(err, sql.ErrNoRows) {
		return p, ErrNoPerson
	}
	return p, err
}

// NamesTx gives what people are called, by id; who is unknown is left out.
func NamesTx(ctx context.Context, tx *postgres.Tx, ids []string) (map[string]string, error) {
	var rows []struct {
		ID   string `db:"id"`
		Name string `db:"full_name"`
	}
	if err := tx.Select(ctx, &rows, q.Q("Names"), pq.Array(ids)); err != nil {
		return nil, err
	}
	names := make(map[string]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, nil
}

// PutPersonTx finds the person with an address or makes her. A name that is known already stays.
func PutPersonTx(ctx context.Context, tx *postgres.Tx, email, fullName, lang string) (Person, error) {
	email, err := NormalEmail(email)
	if err != nil {
		return Person{}, err
	}
	if lang != "fr" {
		lang = "en"
	}
	if fullName == "" {
		fullName, _, _ = strings.Cut(email, "@")
	}
	if len([]rune(fullName)) > 255 || strings.ContainsRune(fullName, 0) {
		return Person{}, ErrName
	}
	if _, err := tx.Exec(ctx, q.Q("AddPerson"), ident.New("per"), email, fullName, lang, tx.Now()); err != nil {
		return Person{}, err
	}
	var p Person
	err = tx.Get(ctx, &p, q.Q("PersonByEmail"), email)
	return p, err
}

// SetName changes the name of a person. What was printed before stays as it is.
func (s *Service) SetName(ctx context.Context, personID, name string) error {
	if name == "" || utf8.RuneCountInString(name) > 255 || strings.ContainsAny(name, "\x00\r\n") {
		return ErrName
	}
	return s.db.InTx(asSystem(ctx), "set name", func(ctx context.Context, tx *postgres.Tx) error {
		if err := audit.HoldTx(ctx, tx, personID); err != nil {
			return err
		}
		old, err := PersonTx(ctx, tx, personID)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("SetName"), personID, name); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "name.changed", Object: personID, Before: map[string]string{"full_name": old.FullName}, After: map[string]string{"full_name": name}})
	})
}

// LinkTx says that a subject of another system is this person. A subject that is somebody already stays who it is.
func LinkTx(ctx context.Context, tx *postgres.Tx, personID, source, subject string) error {
	_, err := tx.Exec(ctx, q.Q("AddExternalID"), source, subject, personID)
	return err
}

// GrantRoleTx gives a person a role; giving it again does nothing.
func GrantRoleTx(ctx context.Context, tx *postgres.Tx, personID, role string) error {
	if _, ok := scopesOf[role]; !ok {
		return ErrRole
	}
	n, err := tx.Exec(ctx, q.Q("GrantRole"), personID, role, tx.Now())
	if err != nil || n == 0 {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "role.granted", Object: personID, Detail: map[string]string{"role": role}})
}

// RolesTx lists the roles of a person.
func RolesTx(ctx context.Context, tx *postgres.Tx, personID string) ([]string, error) {
	roles := []string{}
	err := tx.Select(ctx, &roles, q.Q("Roles"), personID)
	return roles, err
}

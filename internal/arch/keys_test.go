package arch

import (
	"testing"

	"cursus/internal/testkit"
)

// The migrated database itself is asked, so that a key added by ALTER TABLE or by a library is judged too.
func TestForeignKeysPointDown(t *testing.T) {
	rows, err := testkit.Owner(t, testkit.OwnerDSN(t)).Query(`
		SELECT k.conname, n.nspname, rn.nspname
		FROM pg_constraint k
		JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_class r ON r.oid = k.confrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
		WHERE k.contype = 'f'`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	crossing := 0
	for rows.Next() {
		var name, from, to string
		if err := rows.Scan(&name, &from, &to); err != nil {
			t.Fatal(err)
		}
		if from == to {
			continue
		}
		crossing++
		if f := keyFault(from, to); f != "" {
			t.Errorf("%s: %s", name, f)
		}
	}
	if err := rows.Err(); err != nil || crossing == 0 {
		t.Fatal(crossing, "keys between rooms were judged:", err)
	}
}

func keyFault(from, to string) string {
	low, known := schemaFloors[to]
	high, alsoKnown := schemaFloors[from]
	if !known || !alsoKnown || low >= high {
		return "a table of " + from + " refers to " + to + ", which does not stand below it"
	}
	return ""
}

func TestKeysThatClimbAreSeen(t *testing.T) {
	for _, k := range [][2]string{{"identity", "gradebook"}, {"identity", "catalog"}, {"nowhere", "identity"}, {"gradebook", "nowhere"}} {
		if keyFault(k[0], k[1]) == "" {
			t.Error(k[0], "may refer to", k[1])
		}
	}
	if f := keyFault("gradebook", "identity"); f != "" {
		t.Error(f)
	}
}

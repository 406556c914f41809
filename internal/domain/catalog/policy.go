package catalog

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"cursus/internal/kernel/fault"
)

// AssignmentType is a line of the grade policy, as Open edX knows it: of at least MinCount works of a type the DropCount worst are left
// out, and the rest makes WeightPPM of the total grade, in millionths.
type AssignmentType struct {
	Type      string `json:"type"`
	WeightPPM int    `json:"weight_ppm"`
	MinCount  int    `json:"min_count"`
	DropCount int    `json:"drop_count"`
}

// Policy says how a session makes the total grade; empty: it does not say.
type Policy []AssignmentType

// maxTypes bounds a policy; real ones have two to six lines.
const maxTypes = 30

func (p Policy) faults() (wrong []fault.Field) {
	if len(p) > maxTypes {
		return []fault.Field{{Pointer: "/policy", Code: "too-many", Detail: "At most 30 assignment types."}}
	}
	sum, seen := 0, map[string]bool{}
	for i, a := range p {
		refuse := func(bad bool, member, code, detail string) {
			if bad {
				wrong = append(wrong, fault.Field{Pointer: fmt.Sprintf("/policy/%d/%s", i, member), Code: code, Detail: detail})
			}
		}
		refuse(a.Type == "" || utf8.RuneCountInString(a.Type) > 100, "type", "bad-length", "1 to 100 characters.")
		refuse(seen[a.Type], "type", "duplicate", "An assignment type stands twice in the policy.")
		refuse(a.WeightPPM < 0 || a.WeightPPM > whole, "weight_ppm", "out-of-range", "0 to 1,000,000.")
		refuse(a.MinCount < 1 || a.MinCount > maxExercises, "min_count", "out-of-range", "1 to 1,000.")
		refuse(a.DropCount < 0 || a.DropCount >= max(a.MinCount, 1), "drop_count", "out-of-range", "0 or more, and fewer than there are works.")
		seen[a.Type], sum = true, sum+a.WeightPPM
	}
	if len(p) > 0 && wrong == nil && sum != whole {
		wrong = append(wrong, fault.Field{Pointer: "/policy", Code: "weights-not-whole", Detail: fmt.Sprintf("The weights sum to %d of 1,000,000 ppm (100 %%).", sum)})
	}
	return wrong
}

// Value lets database/sql store the policy.
func (p Policy) Value() (driver.Value, error) {
	if p == nil {
		return "[]", nil
	}
	b, err := json.Marshal([]AssignmentType(p))
	return string(b), err
}

// Scan reads it back.
func (p *Policy) Scan(stored any) error {
	b, ok := stored.([]byte)
	if !ok {
		return fmt.Errorf("a policy is stored as %T", stored)
	}
	return json.Unmarshal(b, (*[]AssignmentType)(p))
}

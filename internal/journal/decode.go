package journal

import "encoding/json"

// UnmarshalJSON reads an entry of any kind; fields it does not know are passed
// over.
func (e *Entry) UnmarshalJSON(b []byte) error {
	type fields Entry
	aux := struct {
		*fields
		Weight json.Number `json:"weight"`
	}{fields: (*fields)(e)}
	if err := json.Unmarshal(b, &aux); err != nil {
		return err
	}
	e.Weight = aux.Weight.String()
	return nil
}

// UnmarshalJSON reads a rule that matched.
func (h *RuleHit) UnmarshalJSON(b []byte) error {
	type fields RuleHit
	aux := struct {
		*fields
		Weight json.Number `json:"weight"`
	}{fields: (*fields)(h)}
	if err := json.Unmarshal(b, &aux); err != nil {
		return err
	}
	h.Weight = aux.Weight.String()
	return nil
}

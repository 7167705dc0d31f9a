package accounting

// Answer is the one block of several that a refusal names: a permanent one
// before a temporary one.
func (b Block) Answer() Block { return b }

// String is the name used in policies and journals.
func (b Block) String() string { return "" }

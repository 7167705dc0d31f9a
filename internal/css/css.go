// Package css reads, of style sheets and style attributes, what decides whether a
// reader sees the text of an element, and how it runs: nothing else of them matters
// to a rule. The tokens are a library's (CSS Syntax 3), their meaning is ours.
//
// Both may come from a sender. The budget is charged for each token, selector and
// comparison; what is kept of a sheet is bounded.
package css

// Property is one that decides what is seen.
type Property int

// The properties that are kept. Boxes are of no size by each of four.
const (
	Display Property = iota
	Opacity
	Height
	MaxHeight
	Width
	MaxWidth
	Overflow
	FontSize
	Visibility
	MsoHide  // of Outlook alone
	Away     // where position, indent, margin or spacing move what is in the element out of sight: see Value.Moves
	Clip     // likewise clip, clip-path, transform, filter and what else leaves nothing of it to see
	Color    // a Value of Paint
	Back     // background, likewise
	Override // unicode-bidi
	Direction
	Content // of pseudo-elements: a text of the sheet, see Sheet.Words
	Moved   // it is animated
	Unsure  // one of the others is Doubtful
	properties
)

// Value is what a property says; 0 is nothing.
type Value uint32

// Values of all properties but Color and Back.
const (
	// Hides: the element is not seen, has no size, runs from right to left.
	Hides Value = iota + 1
	// Shows undoes that.
	Shows
	// Inline and Block are of Display: it is seen, and does not end a word, or does.
	Inline
	Block
	// Column is of Display, too: like Block, and nothing of it is seen where that is known.
	Column
	// Inherits: as in the element around it.
	Inherits
	// Doubtful: what it says is told by what is not known here.
	Doubtful
	firstWords // and more: of Content, words of the sheet
)

// The properties that Away and Clip are made of, a bit each: one does not undo another.
const (
	moveIndent Value = 1 << iota
	moveMargin
	moveMarginLeft
	moveMarginTop
	moveLeft
	moveRight
	moveTop
	moveBottom
	moveSpacing
	moveTranslate
)

const (
	clipRect Value = 1 << iota
	clipPath
	clipTransform
	clipScale
	clipRotate
	clipFilter
	clipMask
	clipZoom
	clipContent
	clipAdjust
)

// hidingBits is where of Away and Clip it is told which of their properties hide; below,
// which of them are said.
const hidingBits = 16

// Moves tells of a value of Away or Clip whether the element is out of sight by it.
func (v Value) Moves() bool { return v>>hidingBits != 0 }

// say puts what one of its properties says into a value of Away or Clip.
func (v Value) say(bit Value, hides bool) Value {
	if v = v&^(bit<<hidingBits) | bit; hides {
		v |= bit << hidingBits
	}
	return v
}

// over puts another value of Away or Clip over this one.
func (v Value) over(under Value) Value {
	said := v & (1<<hidingBits - 1)
	return under&^(said|said<<hidingBits) | v
}

// Values of Color and Back; others are of Paint.
const (
	// Unknown is a picture, a gradient, or a colour that is not known by this name.
	Unknown Value = 1<<25 + iota
	// Clear is a colour that cannot be seen.
	Clear
)

// Paint is a colour, each part 0 to 255.
func Paint(red, green, blue uint8) Value {
	return 1<<24 | Value(red)<<16 | Value(green)<<8 | Value(blue)
}

// Differ is by how much two colours do, all parts together; known is false where one
// of them is not.
func Differ(a, b Value) (by int, known bool) {
	if a>>24 != 1 || b>>24 != 1 {
		return 0, false
	}
	for shift := 0; shift <= 16; shift += 8 {
		by += abs(int(a>>shift&0xff) - int(b>>shift&0xff))
	}
	return by, true
}

func abs(n int) int { return max(n, -n) }

// Declarations are the properties of an element, or of a rule for some.
type Declarations [properties]Value

// Add puts others over these.
func (d *Declarations) Add(over *Declarations) {
	if *over == (Declarations{}) { // of most
		return
	}
	away, clip := over[Away].over(d[Away]), over[Clip].over(d[Clip])
	for i, v := range over {
		if v != 0 {
			d[i] = v
		}
	}
	d[Away], d[Clip] = away, clip
}

// Style is what one place says, and what it says is important (CSS Cascade 4 §6.3).
type Style struct{ Normal, Important Declarations }

// add puts another over this one, each part over its like.
func (s *Style) add(over Style) {
	s.Normal.Add(&over.Normal)
	s.Important.Add(&over.Important)
}

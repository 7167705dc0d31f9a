package letterform

import (
	"testing"
	"unicode/utf8"
)

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"ʟᴏᴛᴛᴇʀʏ": "lottery", "🅻🅾🆃🆃🅴🆁🆈": "LOTTERY", "🅛🅞🅣": "LOT", "🇱🇴🇹": "LOT", "l⃒o⃒t": "lot", "l\u1ab0o\u1dc4t": "lot", "l\ufe20o\ufe21t": "lot",
		"ｌｏｔ": "lot", "ⓛⓞⓣ": "lot", "𝐥𝐨𝐭": "lot", "lᵒᵗ": "lot",
	} {
		if !Others(text) || Plain(text) != want {
			t.Errorf("%s: %v, %s", text, Others(text), Plain(text))
		}
	}
	for _, text := range []string{"", "lottery", "лотерея", "größe", "λόγος", "price €5 – “x” №1", "日本語"} {
		if Others(text) {
			t.Error(text)
		}
	}
}

func TestLookalikes(t *testing.T) {
	if a, b := utf8.RuneCountInString(latinLetters), utf8.RuneCountInString(likeLetters); a != b {
		t.Fatal(a, b)
	}
	for text, want := range map[string][2]string{
		"lоttеry":                {"lottery", "lоttеry"}, // Cyrillic letters in Latin
		"кaзинo":                 {"кaзинo", "казино"},   // Latin letters in Cyrillic
		"a кaзинo, lоttery, б b": {"a кaзинo, lottery, б b", "a казино, lоttery, б b"},
		"cоp":                    {"cop", "сор"},
		"lοttery":                {"lottery", "lοttery"}, // Greek
		"Рaypal":                 {"Paypal", "Рaypal"},
		"казино lottery":         {"казино lottery", "казино lottery"},
		"":                       {"", ""},
		"x-рус 3D-модель":        {"x-рус 3D-модель", "x-рус 3D-модель"},
	} {
		if latin, other := Lookalikes(text); latin != want[0] || other != want[1] {
			t.Errorf("%s: %s, %s", text, latin, other)
		}
	}
}

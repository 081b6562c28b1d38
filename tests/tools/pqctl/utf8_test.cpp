#include "tools/pqctl/utf8.h"

#include <gtest/gtest.h>

namespace pqd::ctl {
namespace {

TEST(Utf8, TellsTextFromBytes) {
  EXPECT_TRUE(valid_utf8(""));
  EXPECT_TRUE(valid_utf8("grüße 漢字 🙂"));
  EXPECT_FALSE(valid_utf8("\xFF"));
  EXPECT_FALSE(valid_utf8("\xC0\x80"));          // overlong
  EXPECT_FALSE(valid_utf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(valid_utf8("\xF4\x90\x80\x80"));  // beyond Unicode
  EXPECT_FALSE(valid_utf8("\xE2\x82"));          // cut
}

TEST(Utf8, TakesTheTeethOutOfEscapeSequences) {
  const std::string line = one_line("a\033[31mb\nc\x9B\u202Ed\x7F");
  EXPECT_EQ(line, "a\uFFFD[31mb c\uFFFD\uFFFDd\uFFFD");
}

TEST(Utf8, LeavesTheLinesOfTextThatItMakesHarmless) {
  EXPECT_EQ(harmless("a\tb\nc\rd\033[0m\xC2\x9B\x9B\u061C\u00FC"),
            "a\tb\nc\uFFFDd\uFFFD[0m\uFFFD\uFFFD\uFFFD\u00FC");
}

TEST(Utf8, CountsColumnsNotBytes) {
  EXPECT_EQ(columns_of("grüße"), 5u);
  EXPECT_EQ(columns_of("漢字"), 4u);
  EXPECT_EQ(columns_of("e\u0301"), 1u);
}

TEST(Utf8, ShortensToTheWidthWithAnEllipsis) {
  EXPECT_EQ(shorten("abcdef", 6), "abcdef");
  EXPECT_EQ(shorten("abcdef", 4), "abc…");
  EXPECT_EQ(shorten("漢字漢字", 4), "漢…");
  EXPECT_EQ(shorten("abc", 0), "");
}

TEST(Utf8, KeepsBackACharacterThatHasOnlyBegun) {
  EXPECT_EQ(whole_bytes(""), 0u);
  EXPECT_EQ(whole_bytes("ab\n"), 3u);
  EXPECT_EQ(whole_bytes("a\xC3\xBC"), 3u);
  EXPECT_EQ(whole_bytes("a\xC3"), 1u);
  EXPECT_EQ(whole_bytes("a\xF0\x9F\x99"), 1u);
  EXPECT_EQ(whole_bytes("a\x9B\x9B\x9B\x9B"), 5u);  // never will be one
  EXPECT_EQ(whole_bytes("\xFF"), 0u);
}

TEST(Utf8, CutsATailBetweenCharacters) {
  EXPECT_EQ(tail_of("abcdef", 3), "def");
  EXPECT_EQ(tail_of("aüb", 2), "b");
  EXPECT_EQ(tail_of("ab", 5), "ab");
}

}  // namespace
}  // namespace pqd::ctl

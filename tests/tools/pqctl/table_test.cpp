#include "tools/pqctl/table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

constexpr const char* kId = "0199f3a2-5b1c-7000-8000-000000000001";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Table jobs() {
  return Table({{.heading = "ID", .whole = true},
                {.heading = "TYPE"},
                {.heading = "ERROR"},
                {.heading = "N", .right = true}});
}

TEST(Table, FitsEightyColumnsByShorteningAllButIds) {
  Table table = jobs();
  table.add({{kId}, {std::string(64, 't')}, {"grüße 漢字 " + std::string(200, 'e')}, {"7"}});
  table.add({{kId}, {"mail"}, {""}, {"12345"}});
  for (const std::string& line : lines_of(table.render(80, Colour(false)))) {
    EXPECT_LE(columns_of(line), 80u) << line;
  }
  const auto lines = lines_of(table.render(80, Colour(false)));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_NE(lines[1].find(kId), std::string::npos);
  EXPECT_NE(lines[1].find("…"), std::string::npos);
  EXPECT_NE(lines[2].find("12345"), std::string::npos);
}

TEST(Table, AlignsColumnsOfWideCharacters) {
  Table table({{.heading = "A"}, {.heading = "B"}});
  table.add({{"漢字"}, {"x"}});
  table.add({{"ab"}, {"y"}});
  EXPECT_EQ(table.render(80, Colour(false)), "A     B\n漢字  x\nab    y\n");
}

TEST(Table, KeepsIdsWholeOnANarrowTerminal) {
  Table table = jobs();
  table.add({{kId}, {"a-long-type-name"}, {"an error"}, {"1"}});
  EXPECT_NE(table.render(30, Colour(false)).find(kId), std::string::npos);
}

// Events: the columns that stay whole are wider than 80 by themselves.
TEST(Table, CutsNothingToFitALineThatTheTerminalBreaksAnyway) {
  Table table({{.heading = "TIME", .whole = true},
               {.heading = "ID", .whole = true},
               {.heading = "TYPE"},
               {.heading = "QUEUE"},
               {.heading = "DETAIL", .width_min = 6}});
  table.add({{"2026-01-31T12:00:00.000Z"}, {kId}, {"newsletter"}, {"default"}, {"attempt 1"}});
  const auto lines = lines_of(table.render(70, Colour(false)));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[1].ends_with("newsletter  default  attempt 1")) << lines[1];
  table.add({{""}, {kId}, {std::string(64, 't')}, {std::string(64, 'q')}, {"attempt 2"}});
  for (const std::string& line : lines_of(table.render(70, Colour(false))))
    EXPECT_LE(columns_of(line), 140u) << line;
}

TEST(Table, IsTheSameWithColourButForTheColour) {
  Table table({{.heading = "STATUS"}});
  table.add({{"failed", Tone::kBad}});
  EXPECT_EQ(table.render(80, Colour(false)), "STATUS\nfailed\n");
  EXPECT_EQ(table.render(80, Colour(true)), "\033[1mSTATUS\033[0m\n\033[31mfailed\033[0m\n");
}

TEST(Table, LetsNoEscapeSequenceThrough) {
  Table table({{.heading = "ERROR"}});
  table.add({{"\033]0;owned\a\nnext"}});
  EXPECT_EQ(table.render(80, Colour(false)).find('\033'), std::string::npos);
  EXPECT_EQ(lines_of(table.render(80, Colour(false))).size(), 2u);
}

TEST(Sheet, GoesOnInTheNextLineWithoutLosingText) {
  Sheet sheet;
  sheet.add("id", kId);
  sheet.add("error", std::string(150, 'e'));
  sheet.add("nothing", "");
  size_t count = 0;
  const std::string text = sheet.render(80, Colour(false));
  for (const char c : text) count += c == 'e' ? 1 : 0;
  for (const std::string& line : lines_of(text)) EXPECT_LE(columns_of(line), 80u);
  EXPECT_EQ(count, 150u + 1);  // and the one in "error"
  EXPECT_EQ(text.find("nothing"), std::string::npos);
}

}  // namespace
}  // namespace pqd::ctl

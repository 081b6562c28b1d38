#include "tools/pqctl/line_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "shm/unique_fd.h"

namespace pqd::ctl {
namespace {

std::vector<LineReader::Line> lines_of(const std::string& text, size_t line_bytes_max) {
  int fds[2];
  EXPECT_EQ(::pipe(fds), 0);
  UniqueFd from(fds[0]);
  std::thread writer([to = UniqueFd(fds[1]), &text] {
    for (size_t at = 0; at < text.size();)
      at += static_cast<size_t>(::write(to.get(), text.data() + at, text.size() - at));
  });
  LineReader reader(from.get(), line_bytes_max);
  std::vector<LineReader::Line> lines;
  while (auto line = reader.next()) lines.push_back(std::move(*line));
  EXPECT_EQ(reader.error(), 0);
  writer.join();
  return lines;
}

TEST(LineReader, NumbersLinesAndTakesALastOneWithoutNewline) {
  const auto lines = lines_of("a\n\nlast", 100);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].text, "a");
  EXPECT_EQ(lines[1].text, "");
  EXPECT_EQ(lines[2].text, "last");
  EXPECT_EQ(lines[2].number, 3u);
}

TEST(LineReader, SkipsALineThatIsTooLongAndGoesOn) {
  const auto lines = lines_of("ok\n" + std::string(300'000, 'x') + "\nfine\n", 1'000);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[1].too_long);
  EXPECT_FALSE(lines[2].too_long);
  EXPECT_EQ(lines[2].text, "fine");
}

TEST(LineReader, JoinsALineThatCameInManyPieces) {
  const std::string text(200'000, 'y');
  const auto lines = lines_of(text + "\n", 1 << 20);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].text, text);
}

}  // namespace
}  // namespace pqd::ctl

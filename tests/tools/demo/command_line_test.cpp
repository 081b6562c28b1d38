#include "tools/demo/command_line.h"

#include <gtest/gtest.h>

namespace pqd::demo {
namespace {

TEST(DemoCommandLine, HashesTheSystemsFilesUnlessToldOtherwise) {
  const auto role = parse_command_line({});
  ASSERT_TRUE(role);
  const auto& options = std::get<DemoOptions>(*role);
  EXPECT_EQ(options.roots, (std::vector<std::string>{"/usr/share/doc", "/usr/include"}));
  EXPECT_EQ(options.limit, 0u);
}

TEST(DemoCommandLine, TakesDirectoriesAndALimit) {
  const auto role = parse_command_line({"--limit", "12", "/a", "/b"});
  ASSERT_TRUE(role);
  EXPECT_EQ(std::get<DemoOptions>(*role).roots, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(std::get<DemoOptions>(*role).limit, 12u);
}

TEST(DemoCommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(parse_command_line({"--limt", "12"}));
  EXPECT_FALSE(parse_command_line({"--limit"}));
  EXPECT_FALSE(parse_command_line({"--limit", "many"}));
  EXPECT_FALSE(parse_command_line({"--limit", "0"}));
}

TEST(DemoCommandLine, ReadsBackTheRolesThatItWrites) {
  const auto producer = parse_command_line(words_of(ProducerOptions{"/s", "/l", 1, 2, 15}));
  ASSERT_TRUE(producer);
  const auto& options = std::get<ProducerOptions>(*producer);
  EXPECT_EQ(options.socket, "/s");
  EXPECT_EQ(options.list, "/l");
  EXPECT_EQ(options.first, 1u);
  EXPECT_EQ(options.stride, 2u);
  EXPECT_EQ(options.priority, 15);
  const auto consumer = parse_command_line(words_of(ConsumerOptions{"/s"}));
  ASSERT_TRUE(consumer);
  EXPECT_EQ(std::get<ConsumerOptions>(*consumer).socket, "/s");
}

}  // namespace
}  // namespace pqd::demo

// A rig that cannot see a planted fault is broken: each canary has to be found within a bounded run.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "tests/sim/canary.h"

namespace pqd::sim {
namespace {

// Exit status of the simulator; -1 = it did not end by itself.
int run(const std::string& arguments) {
  const std::string sim = PQD_BIN_DIR "/sim ";
  const int status = std::system((sim + arguments + " >/dev/null 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class Canary : public ::testing::TestWithParam<std::string> {};

TEST_P(Canary, IsFoundWithinTheBoundedRun) {
  EXPECT_EQ(run("--seeds 0..999 -j 1 --canary " + GetParam()), 1);
}

std::vector<std::string> names() {
  std::vector<std::string> list;
  for (const auto& [name, what] : canaries()) list.push_back(name);
  return list;
}

std::string test_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Planted, Canary, ::testing::ValuesIn(names()), test_name);

TEST(Canaries, AreAtLeastTen) { EXPECT_GE(canaries().size(), 10u); }

TEST(Canaries, NobodyFindsOneThatIsNotThere) { EXPECT_EQ(run("--seeds 0..499 -j 2"), 0); }

TEST(Canaries, OfAnUnknownNameIsAUsageError) { EXPECT_EQ(run("--canary no-such-thing"), 64); }

}  // namespace
}  // namespace pqd::sim

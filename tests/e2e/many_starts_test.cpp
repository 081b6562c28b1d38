// Eight daemons started at once in one place: one serves, the others say who.
#include <algorithm>
#include <csignal>

#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

constexpr size_t kDaemons = 8;
constexpr int kRounds = 5;

using Daemons = std::vector<std::unique_ptr<Program>>;

// The one that serves, once all others have ended as they should; nothing when that is not so.
Program* only_one(Daemons& daemons, const std::string& place) {
  Program* serving = nullptr;
  const bool one = eventually([&] {
    const auto running = std::ranges::count_if(daemons, [](auto& daemon) { return daemon->running(); });
    return running <= 1;
  });
  EXPECT_TRUE(one) << "more than one runs";
  for (const auto& daemon : daemons)
    if (daemon->running()) serving = daemon.get();
  if (serving == nullptr || !serving->says("pqd is ready")) {
    ADD_FAILURE() << "none serves";
    return nullptr;
  }
  const std::string words = "another pqd (pid " + std::to_string(serving->pid()) + ") uses " + place;
  for (const auto& daemon : daemons) {
    if (daemon.get() == serving) continue;
    EXPECT_EQ(daemon->wait(), 69) << daemon->err();
    EXPECT_TRUE(has(daemon->err(), words)) << daemon->err() << "it is " << serving->pid();
    EXPECT_EQ(daemon->out(), "");
  }
  return serving;
}

// What was submitted to each of those that were killed is there.
void expect_it_has_all(const std::string& socket, size_t jobs) {
  EXPECT_EQ(run(pqctl_words({"submit", "t", "--socket", socket})).exit, 0);
  EXPECT_EQ(line_count(run(pqctl_words({"ls", "-o", "jsonl", "--socket", socket})).out), jobs);
}

TEST(EightDaemons, OnOneDirectoryLeaveOneWhoseEndByAKillLeavesOneAgain) {
  TempDir directory;
  const std::string place = directory.path("pqd");
  Daemons daemons;
  for (int round = 1; round <= kRounds; ++round) {
    // The killed one is in `daemons` still, its pid in the lock files.
    Daemons next;
    for (size_t i = 0; i < kDaemons; ++i)
      next.push_back(
          std::make_unique<Program>(std::vector<std::string>{PQD_BIN_DIR "/pqd", "--dev", "--dir", place}));
    daemons = std::move(next);
    Program* serving = only_one(daemons, place);
    ASSERT_NE(serving, nullptr);
    expect_it_has_all(place + "/pqd.sock", static_cast<size_t>(round));
    serving->signal(SIGKILL);
    EXPECT_EQ(serving->wait(), 128 + SIGKILL);
  }
}

TEST(EightDaemons, OnOneSocketLeaveOneWhoseEndByAKillLeavesOneAgain) {
  TempDir directory;
  const std::string socket = directory.path("pqd.sock");
  for (size_t i = 0; i < kDaemons; ++i)
    write_file(
        directory.path(std::to_string(i)) + ".toml",
        "[daemon]\nstate_dir = \"" + directory.path(std::to_string(i)) + "\"\nsocket = \"" + socket + "\"\n");
  for (int round = 1; round <= kRounds; ++round) {
    Daemons daemons;
    for (size_t i = 0; i < kDaemons; ++i)
      daemons.push_back(std::make_unique<Program>(std::vector<std::string>{
          PQD_BIN_DIR "/pqd", "--config", directory.path(std::to_string(i)) + ".toml"}));
    Program* serving = only_one(daemons, socket);
    ASSERT_NE(serving, nullptr);
    EXPECT_EQ(run(pqctl_words({"submit", "t", "--socket", socket})).exit, 0);
    serving->signal(SIGKILL);
    EXPECT_EQ(serving->wait(), 128 + SIGKILL);
  }
}

}  // namespace
}  // namespace pqd::test

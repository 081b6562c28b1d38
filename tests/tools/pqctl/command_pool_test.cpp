#include "tools/pqctl/command_pool.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/eventually.h"

namespace pqd::ctl {
namespace {

using namespace std::chrono_literals;
using test::eventually;

class CommandPoolTest : public ::testing::Test {
 protected:
  CommandPoolTest() { ::signal(SIGPIPE, SIG_IGN); }

  static Child command(const std::string& script) {
    auto child = Child::spawn({"sh", "-c", script}, {"PATH=/usr/bin:/bin"}, {}, Child::kOutputBytesMax,
                              Child::Input::kStaysOpen);
    EXPECT_TRUE(child) << child.error().text;
    return std::move(*child);
  }
  CommandPool pool(std::chrono::milliseconds idle_timeout) {
    return {idle_timeout, [this](const std::string& text) { said_ += text + "\n"; }};
  }
  static bool runs_empty(CommandPool& pool) {
    return eventually([&] {
      pool.tend();
      return pool.empty();
    });
  }

  std::string said_;
};

TEST_F(CommandPoolTest, GivesOutTheOneThatWorkedLast) {
  CommandPool pool = this->pool(0ms);
  pool.put(command("read -r line; exit 3"));
  pool.put(command("read -r line; exit 4"));
  auto last = pool.take();
  ASSERT_TRUE(last);
  EXPECT_EQ(pool.waiting(), 1u);
  EXPECT_TRUE(last->give(as_bytes("work\n")));
  std::optional<int> status;
  EXPECT_TRUE(eventually([&] { return (status = last->reap()).has_value(); }));
  EXPECT_EQ(status_text(*status), "exit 4");
  EXPECT_TRUE(pool.take());
  EXPECT_FALSE(pool.take());
}

TEST_F(CommandPoolTest, EndsWhoWaitedForTheIdleTimeoutByTheEndOfItsInput) {
  CommandPool pool = this->pool(20ms);
  pool.put(command("cat >/dev/null; exit 0"));
  EXPECT_LE(pool.next(), CommandPool::Clock::now() + 20ms);
  EXPECT_TRUE(runs_empty(pool));
  EXPECT_EQ(said_, "");
}

TEST_F(CommandPoolTest, KeepsThemForEverWithoutATimeout) {
  CommandPool pool = this->pool(0ms);
  pool.put(command("cat >/dev/null"));
  pool.tend();
  EXPECT_EQ(pool.waiting(), 1u);
  EXPECT_EQ(pool.next(), CommandPool::Clock::time_point::max());
  pool.close();
  EXPECT_EQ(pool.waiting(), 0u);
  EXPECT_TRUE(runs_empty(pool));
}

TEST_F(CommandPoolTest, KillsWhoDoesNotEnd) {
  CommandPool pool = this->pool(0ms);
  pool.put(command("while :; do sleep 1000; done"));
  pool.close();
  pool.tend();
  EXPECT_FALSE(pool.empty());
  pool.kill();
  EXPECT_TRUE(runs_empty(pool));
  EXPECT_EQ(said_, "") << "it was asked for";
}

TEST_F(CommandPoolTest, SaysHowOneEndedThatShouldHaveWaited) {
  CommandPool pool = this->pool(0ms);
  ::testing::internal::CaptureStderr();
  pool.put(command("echo no licence >&2; exit 9"));
  EXPECT_TRUE(runs_empty(pool));
  ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(said_, "a command without a job has ended: exit 9: no licence\n");
}

TEST_F(CommandPoolTest, EndsWhoTalksWithoutAJob) {
  CommandPool pool = this->pool(0ms);
  pool.put(command("echo; echo; cat >/dev/null"));
  pool.put(command("echo one more thing; cat >/dev/null"));
  EXPECT_TRUE(eventually([&] {
    pool.tend();
    return pool.waiting() == 1;
  }));
  EXPECT_NE(said_.find("has written to its standard output"), std::string::npos) << said_;
  EXPECT_TRUE(pool.take()) << "empty lines are no words";
}

}  // namespace
}  // namespace pqd::ctl

// A subscriber that stands still while a hundred thousand jobs run.
#include <signal.h>

#include "bindings/cpp/client.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"
#include "tests/support/forked.h"
#include "tests/support/process.h"

namespace pqd::test {
namespace {

constexpr uint64_t kJobs = 100'000;
constexpr Milliseconds kPatience{kWatchdog};

class WatchE2eTest : public WithPqctl {
 protected:
  WatchE2eTest() : WithPqctl("[queue.load]\nmax_active = 0\nmax_depth = 200000\nqueue_timeout = 0\n") {}

  Client connect() {
    auto client = Client::connect({.socket = daemon_.socket()});
    if (!client) std::abort();
    return std::move(*client);
  }
  // Submits so many jobs and works them all off, in this process.
  void run_jobs(uint64_t jobs) {
    Client client = connect();
    ASSERT_TRUE(client.subscribe({.queue = "load", .credits = 4'096}));
    uint64_t sent = 0;
    for (uint64_t done = 0; done < jobs;) {
      for (; sent < jobs && sent - done < 4'096; ++sent)
        ASSERT_TRUE(client.submit({.type = "t", .queue = "load", .durability = Durability::kOs}));
      auto job = client.next(kPatience);
      ASSERT_TRUE(job && *job) << "the queue stands still";
      ASSERT_TRUE(client.complete(**job));
      ++done;
    }
    const auto flushed = client.flush(kPatience);
    ASSERT_TRUE(flushed) << flushed.error().text;
    ASSERT_EQ(flushed->refused, 0u);
  }
};

TEST_F(WatchE2eTest, StoppedWatcherSlowsNothingAndItsGapIsCountedExactly) {
  const std::string socket = daemon_.socket();
  Forked watcher([&socket](const Forked::Say& say) {
    auto client = Client::connect({.socket = socket});
    if (!client || !client->watch({.queue = "load"})) return 1;
    say("watching");
    uint64_t received = 0;
    uint64_t lost = 0;
    uint64_t gaps = 0;
    while (received + lost < 3 * kJobs) {
      const auto event = client->next_event(kPatience);
      if (!event || !*event) {
        say("no event after " + std::to_string(received) + " and " + std::to_string(lost));
        return 2;
      }
      const bool gap = (*event)->kind == ChangeKind::kGap;
      (gap ? lost : received) += gap ? (*event)->lost : 1;
      gaps += gap ? 1 : 0;
      if ((*event)->number != received + lost) return 3;
    }
    // More than there were changes cannot come.
    const auto more = client->next_event(Milliseconds(0));
    if (!more || *more) return 4;
    say(std::to_string(received) + " received, " + std::to_string(lost) + " lost in " + std::to_string(gaps) +
        " gaps");
    return lost > 0 ? 0 : 5;
  });
  ASSERT_EQ(watcher.hear(), "watching");
  watcher.signal(SIGSTOP);
  ASSERT_TRUE(becomes_stopped(watcher.pid()));
  run_jobs(kJobs);
  watcher.signal(SIGCONT);
  std::printf("%s\n", watcher.hear().c_str());
  EXPECT_EQ(watcher.wait(), 0);
}

TEST_F(WatchE2eTest, PqctlShowsTheLatestAndFollows) {
  const std::string id = first_line(output({"submit", "greet", "world", "--queue", "hall"}));
  const std::string recent = output({"events", "--queue", "hall"});
  EXPECT_TRUE(has(recent, "submitted")) << recent;
  EXPECT_TRUE(has(recent, id)) << recent;
  EXPECT_EQ(line_count(output({"events", "--job", id, "-o", "jsonl"})), 1u);
  EXPECT_TRUE(has(recent, "  greet  hall")) << recent;
  EXPECT_EQ(output({"events", "--queue", "elsewhere", "-o", "jsonl"}), "");
  EXPECT_TRUE(has(output({"events", "--state", "failed", "-o", "json"}), "[]"));
  refused({"events", "--state", "lost"}, 65, {"lost"});

  Program follower(pqctl_words({"events", "-f", "--last", "5", "--queue", "hall", "-o", "jsonl"}),
                   {daemon_.socket_variable()});
  ASSERT_TRUE(eventually([&] { return has(follower.out(), "submitted"); })) << follower.err();
  output({"cancel", id});
  EXPECT_TRUE(eventually([&] { return has(follower.out(), "\"event\":\"cancelled\""); })) << follower.out();
  follower.signal(SIGTERM);
  follower.wait();
}

}  // namespace
}  // namespace pqd::test

// A worker that looks for more work before it sleeps, in a whole daemon: how often it goes to sleep, by its
// wake word, while a client gives it one job after the other.
#include <unistd.h>

#include "bindings/cpp/client.h"
#include "bindings/cpp/client_session.h"
#include "core/submit_record.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

constexpr uint32_t kJobs = 200;

class WorkerSpin : public testing::TestWithParam<const char*> {
 protected:
  void start(const std::string& engine) {
    daemon_.configure("[daemon]\nevent_loop = \"" + std::string(GetParam()) + "\"\n[engine]\n" + engine);
    ASSERT_TRUE(daemon_.start());
    auto opened =
        ClientSession::open(daemon_.socket(), {}, Deadline::in(std::chrono::milliseconds(kWatchdog)));
    ASSERT_TRUE(opened) << opened.error().text;
    session_ = std::move(*opened);
  }
  uint32_t wake_word() const {
    // relaxed: only a look.
    return session_->wake.page().sleeping.load(std::memory_order_relaxed);
  }
  bool engine_sleeps() const { return wake_word() % 2 == 1; }
  // One job of durability `memory`, told as decided when this returns.
  void submit_one() {
    SubmitView view;
    view.head.id = session_->next_id(Lane::kNormal);
    view.head.durability = static_cast<uint8_t>(Durability::kMemory);
    view.queue = "default";
    view.type = "t";
    Bytes record(submit_record_bytes(view));
    write_submit_record(view, record);
    RingWriter& writer = session_->writer(Lane::kNormal);
    const auto room = writer.reserve(static_cast<uint32_t>(record.size()));
    ASSERT_FALSE(room.empty());
    std::ranges::copy(record, room.begin());
    writer.commit(static_cast<uint32_t>(record.size()));
    writer.publish();
    session_->bell.ring_if_sleeping();
    ++submitted_;
    // Without a break: the engine may spin for less than a sleep of ours takes.
    const auto end = std::chrono::steady_clock::now() + kWatchdog;
    while (load_watermarks(session_->down.lane(Lane::kNormal)).applied < submitted_)
      ASSERT_LT(std::chrono::steady_clock::now(), end);
  }
  // How often the engine fell asleep while it got kJobs jobs. Between two of them the client takes so long
  // that an engine with nothing to do is asleep.
  uint32_t sleeps_for_jobs() {
    const uint32_t before = wake_word();
    for (uint32_t i = 0; i < kJobs; ++i) {
      submit_one();
      const auto resume = std::chrono::steady_clock::now() + std::chrono::microseconds(30);
      while (std::chrono::steady_clock::now() < resume) {
      }
    }
    return (wake_word() - before) / 2;
  }

  Daemon daemon_;
  std::unique_ptr<ClientSession> session_;
  uint64_t submitted_ = 0;
};

TEST_P(WorkerSpin, NeedNotBeWokenByAClientThatKeepsItBusy) {
  start("spin_us = 1000\n");
  // On a machine with other work it may take some rounds until the two run at the same time.
  EXPECT_TRUE(eventually([this] { return sleeps_for_jobs() < kJobs / 4; }));
}

TEST_P(WorkerSpin, OfNoLengthHasToBeWokenForEachJob) {
  start("spin_us = 0\n");
  EXPECT_TRUE(eventually([this] { return sleeps_for_jobs() > kJobs / 2; }));
}

TEST_P(WorkerSpin, EndsInSleepWhenThereIsNothingToDo) {
  start("spin_us = 1000\n");
  submit_one();
  ASSERT_TRUE(eventually([this] { return engine_sleeps(); }));
  // And what comes then wakes it.
  submit_one();
  EXPECT_TRUE(eventually([this] { return engine_sleeps(); }));
}

// What nobody waits for is written before the engine sleeps: the charge of a job that lives in memory.
TEST_P(WorkerSpin, WritesWhatNobodyWaitsForBeforeItSleeps) {
  start("[limits.user_rates]\n\"" + std::to_string(::getuid()) + "\" = 2\n");
  submit_one();  // its type is new, and that is waited for
  submit_one();
  ASSERT_TRUE(eventually([this] { return engine_sleeps(); }));
  daemon_.kill_engine();
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client) << client.error().text;
  const auto ticket = client->submit({.type = "t"});
  ASSERT_TRUE(ticket) << ticket.error().text;
  const auto third = client->wait(*ticket, kWatchdog);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().error, Error::kRateLimitExceeded);
}

INSTANTIATE_TEST_SUITE_P(Loops, WorkerSpin, testing::Values("auto", "epoll"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace pqd::test

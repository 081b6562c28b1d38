// An engine that gets no more memory, flooded with large payloads.
#include <set>

#include "bindings/cpp/client.h"
#include "tests/e2e/limited_process.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"
#include "tests/support/load/load_history.h"

namespace pqd::test {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr const char* kEnd = "no memory is left";

size_t times_in(const std::string& text, const std::string& part) {
  size_t times = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

class MemoryLimit : public WithDaemon {
 protected:
  explicit MemoryLimit(const std::string& more = {}) : WithDaemon(kLoadConfig + more) {}
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "a sanitizer needs all of the address space";
    WithDaemon::SetUp();
  }

  Client connect() {
    auto client = Client::connect({.socket = daemon_.socket()});
    EXPECT_TRUE(client) << (client ? "" : client.error().text);
    return std::move(*client);
  }

  // Large jobs that nobody takes, until `enough`; what those that were not acknowledged were told.
  template <class Enough>
  std::set<Error> flood(Client& client, Milliseconds patience, Enough enough) {
    const Bytes payload(200'000);
    std::set<Error> told;
    eventually([&] {
      if (enough()) return true;
      const auto ticket = client.submit({.type = "large", .queue = "flood", .payload = payload});
      if (!ticket) return told.insert(ticket.error().error), false;
      const auto outcome = client.wait(*ticket, patience);
      outcome ? kept_.insert(ticket->id).second : told.insert(outcome.error().error).second;
      return false;
    });
    return told;
  }

  // Every one that was acknowledged is there.
  void expect_the_flood_is_kept() {
    std::set<JobId> there;
    for (const JobInfo& job : jobs_of(daemon_.socket(), "flood", 0)) there.insert(job.core.id);
    size_t lost = 0;
    for (const JobId& id : kept_) lost += there.contains(id) ? 0u : 1u;
    EXPECT_EQ(lost, 0u) << "of " << kept_.size();
  }

  std::set<JobId> kept_;
};

TEST_F(MemoryLimit, EndsAnEngineWithOneClearLineAndNothingAcknowledgedIsLost) {
  Load load(daemon_.socket(), {});
  Client client = connect();
  for (size_t round = 1; round <= 3; ++round) {
    ASSERT_TRUE(load.handles(50));
    const pid_t engine = daemon_.engine();
    limit(engine, RLIMIT_DATA, data_bytes(engine) + round * 8 * kMiB);
    EXPECT_EQ(flood(client, kWatchdog, [&] { return daemon_.engine() != engine; }), std::set<Error>());
    ASSERT_EQ(times_in(daemon_.log(), kEnd), round) << daemon_.log();
  }
  EXPECT_EQ(times_in(daemon_.log(), "ended with status 70"), 3u) << daemon_.log();
  EXPECT_TRUE(has(daemon_.log(), " critical engine: no memory is left"));
  EXPECT_FALSE(has(daemon_.log(), "terminate called")) << daemon_.log();
  ASSERT_EQ(load.finish(), "");
  EXPECT_EQ(judge(load).broken, std::vector<std::string>());
  expect_the_flood_is_kept();
}

// What lives does not fit any more: the daemon stays up, and serves again as soon as there is room.
TEST_F(MemoryLimit, ThatIsTooSmallForWhatLivesIsATimeoutForClientsAndNothingIsLost) {
  Client client = connect();
  const uint64_t enough = data_bytes(daemon_.engine()) + 48 * kMiB;
  limit(daemon_.pid(), RLIMIT_DATA, enough);
  limit(daemon_.engine(), RLIMIT_DATA, enough);
  const auto dies_again_and_again = [&] { return times_in(daemon_.log(), "the engine ended") >= 3; };
  for (const Error told : flood(client, Milliseconds(500), dies_again_and_again))
    EXPECT_TRUE(told == Error::kRequestTimeout || told == Error::kQueueFull) << error_name(told);
  ASSERT_TRUE(dies_again_and_again()) << daemon_.log();
  EXPECT_TRUE(has(daemon_.log(), kEnd));
  EXPECT_TRUE(daemon_.running());
  limit(daemon_.pid(), RLIMIT_DATA, RLIM_INFINITY);
  // The engine of this moment was made under the limit, and may be one that lives but has room for nobody.
  daemon_.kill_engine();
  expect_the_flood_is_kept();
  EXPECT_EQ(run(pqctl_words({"submit", "small"}), {daemon_.socket_variable()}).exit, 0);
}

class SmallPayloadMemory : public MemoryLimit {
 protected:
  SmallPayloadMemory() : MemoryLimit("[engine]\npayload_memory_bytes = \"4MiB\"\n") {}
};

// What RocksDB holds beside is a matter of its own settings, and not of how many jobs there are.
TEST_F(SmallPayloadMemory, TakesABacklogOfTwiceTheMemoryThatThereIs) {
  Client client = connect();
  constexpr size_t kLarge = 4'000;
  const pid_t engine = daemon_.engine();
  limit(engine, RLIMIT_DATA, data_bytes(engine) + kLarge * 200'000 / 2);
  EXPECT_EQ(flood(client, kWatchdog, [&] { return kept_.size() >= kLarge; }), std::set<Error>());
  EXPECT_EQ(daemon_.engine(), engine) << daemon_.log();
  expect_the_flood_is_kept();
}

TEST_F(MemoryLimit, RefusesASessionThatTheEngineCannotMapByName) {
  const pid_t engine = daemon_.engine();
  limit(engine, RLIMIT_AS, address_space(engine) + kMiB);
  const Ran refused = run(pqctl_words({"submit", "t"}), {daemon_.socket_variable()});
  EXPECT_EQ(refused.exit, 69) << refused.err;
  EXPECT_TRUE(has(refused.err, "UNAVAILABLE: ") &&
              has(refused.err, "cannot map the session's memory: raise the limit"))
      << refused.err;
  // Who tries again and again does not fill the log.
  EXPECT_TRUE(eventually([&] {
    EXPECT_FALSE(Client::connect({.socket = daemon_.socket()}));
    return has(daemon_.log(), "more sessions could not be mapped");
  }));
  limit(engine, RLIMIT_AS, RLIM_INFINITY);
  EXPECT_EQ(run(pqctl_words({"submit", "t"}), {daemon_.socket_variable()}).exit, 0);
  EXPECT_EQ(daemon_.engine(), engine);
}

}  // namespace
}  // namespace pqd::test

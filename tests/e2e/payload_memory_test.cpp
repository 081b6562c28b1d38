// A backlog of which memory holds next to nothing: what is delivered and told comes out of the store.
#include <map>
#include <random>
#include <set>

#include "bindings/cpp/client.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

constexpr const char* kConfig = R"(
[daemon]
engine_backoff_max = "10ms"
[engine]
payload_memory_bytes = "16KiB"
[store]
checkpoint_interval = "50ms"
[queues.defaults]
max_active = 0
queue_timeout = 0
)";
constexpr size_t kJobs = 3'000;

class PayloadMemory : public WithDaemon {
 protected:
  PayloadMemory() : WithDaemon(kConfig) {}

  Client connect() {
    auto client = Client::connect({.socket = daemon_.socket()});
    EXPECT_TRUE(client) << (client ? "" : client.error().text);
    return std::move(*client);
  }
  // Jobs of priority as the caller says, none of whose payloads is another's.
  template <class PriorityOf>
  void submit(Client& client, PriorityOf priority_of) {
    for (size_t i = 0; i < kJobs; ++i) {
      std::string payload(1'000 + random_() % 500, static_cast<char>('a' + random_() % 26));
      payload += std::to_string(i);
      const auto ticket = client.submit(
          {.type = "t", .payload = as_bytes(payload), .mode = Mode::kPriority, .priority = priority_of(i)});
      ASSERT_TRUE(ticket) << ticket.error().text;
      sent_[ticket->id] = std::move(payload);
      last_ = *ticket;
    }
    const auto done = client.wait(last_, kWatchdog);
    ASSERT_TRUE(done) << done.error().text;
  }
  // Takes and completes jobs until so many are done; each has to bring what was sent.
  void work(Client& client, size_t until) {
    EXPECT_TRUE(eventually([&] {
      auto job = client.next(Milliseconds(100));
      if (!job || !*job) return false;
      EXPECT_EQ(as_text((*job)->payload()), sent_[(*job)->id()]);
      const auto ticket = client.complete(**job, as_bytes("done"));
      // Whoever held one when the engine died may have it again.
      if (ticket && client.wait(*ticket, kWatchdog)) done_.insert((*job)->id());
      return done_.size() >= until;
    })) << done_.size();
  }

  std::mt19937 random_{7};
  std::map<JobId, std::string> sent_;
  std::set<JobId> done_;
  Ticket last_;
};

TEST_F(PayloadMemory, FarSmallerThanTheBacklogLosesNoneOfItOverDeathsAndRestarts) {
  Client client = connect();
  submit(client, [](size_t i) { return i % 3 == 0 ? kPriorityHigh : kPriorityNormal; });
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({.types = {"t"}, .credits = 100}));
  work(worker, kJobs / 3);
  daemon_.kill_engine();
  work(worker, 2 * kJobs / 3);
  daemon_.stop();
  ASSERT_TRUE(daemon_.start());
  work(worker, kJobs);
  EXPECT_EQ(done_.size(), kJobs);
}

TEST_F(PayloadMemory, TellsOfJobsThatAreInTheStoreAlone) {
  Client client = connect();
  const auto first = client.submit({.type = "told", .payload = as_bytes("first"), .metadata = "{\"of\":1}"});
  ASSERT_TRUE(first && client.wait(*first, kWatchdog));
  submit(client, [](size_t) { return kPriorityNormal; });
  const auto job = client.get(first->id);
  ASSERT_TRUE(job) << job.error().text;
  EXPECT_EQ(job->type, "told");
  EXPECT_EQ(job->metadata, "{\"of\":1}");
  const auto all = client.list({.type = "told", .limit = 10});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ((*all)[0].metadata, "{\"of\":1}");
}

class LargePayloads : public WithDaemon {
 protected:
  LargePayloads() : WithDaemon("[daemon]\nmax_payload_bytes = \"4MiB\"\n") {}
};

// Or a job that fits into no ring would hold up the consumer that has it, and all jobs behind it.
TEST_F(LargePayloads, AreDeliveredAlsoAfterPayloadsMayNotBeSoLargeAnyMore) {
  const std::string large(3 << 20, 'x');
  SegmentSizes sizes;
  sizes.lane_bytes[lane_index(Lane::kNormal)] = 16u << 20;
  {
    auto client = Client::connect({.socket = daemon_.socket(), .sizes = sizes});
    ASSERT_TRUE(client);
    const auto ticket = client->submit({.type = "t", .payload = as_bytes(large)});
    ASSERT_TRUE(ticket) << ticket.error().text;
    ASSERT_TRUE(client->wait(*ticket, kWatchdog));
  }
  daemon_.stop();
  daemon_.configure("[daemon]\nmax_payload_bytes = \"64KiB\"\n");
  ASSERT_TRUE(daemon_.start());
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client);
  EXPECT_EQ(client->max_payload_bytes(), 64u << 10);
  const auto small = client->submit({.type = "t", .payload = as_bytes("small")});
  ASSERT_TRUE(small && client->wait(*small, kWatchdog));
  ASSERT_TRUE(client->subscribe({.types = {"t"}, .credits = 2}));
  for (const std::string_view payload : {std::string_view(large), std::string_view("small")}) {
    const auto job = client->next(kWatchdog);
    ASSERT_TRUE(job && *job);
    EXPECT_EQ(as_text((*job)->payload()), payload);
    ASSERT_TRUE(client->complete(**job));
  }
}

}  // namespace
}  // namespace pqd::test

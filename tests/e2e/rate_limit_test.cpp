// The limit of submits per user over real processes: what is said, what it outlives, whom it does not
// concern.
#include "bindings/cpp/client.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

class RateLimitE2e : public WithPqctl {
 protected:
  RateLimitE2e() : WithPqctl("[limits]\nrate_limit = 3\n") {}

  void submit_as(const std::string& subject) { output({"submit", "t", "x", "--subject", subject}); }
  void refused_as(const std::string& subject) {
    refused({"submit", "t", "x", "--subject", subject}, 75, {"RATE_LIMIT_EXCEEDED", "try again in "});
  }
};

TEST_F(RateLimitE2e, HoldsEachEndUserToItsOwnOverTheDeathsOfTheDaemon) {
  for (int i = 0; i < 3; ++i) submit_as("ann");
  refused_as("ann");
  submit_as("bob");
  daemon_.kill_engine();
  refused_as("ann");
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  refused_as("ann");
  submit_as("bob");
  EXPECT_EQ(job_count(), 5u);
}

// The charges of jobs that live in memory are written with what comes, and at the end.
TEST_F(RateLimitE2e, CountsJobsOfDurabilityMemoryOverTheDeathsOfTheDaemon) {
  const auto in_memory = [this](const std::string& subject) {
    output({"submit", "t", "x", "--subject", subject, "--durability", "memory"});
  };
  for (int i = 0; i < 3; ++i) in_memory("ann");
  refused_as("ann");
  submit_as("bob");
  daemon_.kill_engine();
  refused_as("ann");
  for (int i = 0; i < 3; ++i) in_memory("cat");
  daemon_.stop();
  ASSERT_TRUE(daemon_.start());
  refused_as("ann");
  refused_as("cat");
}

TEST_F(RateLimitE2e, DoesNotConcernTheDaemonsOwnUser) {
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += "{\"type\":\"t\"}\n";
  output({"submit", "--ndjson", "-"}, lines);
  EXPECT_EQ(job_count(), 100u);
}

class RateLimitByDefault : public WithPqctl {
 protected:
  // As one commit, so that no time passes among them.
  Result<Outcome> submit(Client& client, size_t count) {
    const std::vector<SubmitRequest> requests(count, SubmitRequest{.type = "t", .subject = "ann"});
    const auto tickets = client.submit_many(requests);
    if (!tickets) return std::unexpected(tickets.error());
    return client.wait(tickets->front(), kWatchdog);
  }
};

TEST_F(RateLimitByDefault, TakesSixtyASubjectAndRefusesTheNextWithItsTime) {
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client) << client.error().text;
  EXPECT_FALSE(submit(*client, 61)) << "more than the burst";
  const auto whole = submit(*client, 60);
  ASSERT_TRUE(whole) << whole.error().text;
  const auto again = submit(*client, 60);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().error, Error::kRateLimitExceeded);
  EXPECT_GT(again.error().retry_after_ms, 0u);
  EXPECT_LE(again.error().retry_after_ms, 60'000u);
  // One comes back every second, however long all this takes.
  ASSERT_TRUE(eventually([&] {
    const auto next = submit(*client, 1);
    if (next) return false;
    EXPECT_EQ(next.error().error, Error::kRateLimitExceeded);
    EXPECT_GT(next.error().retry_after_ms, 0u);
    EXPECT_LE(next.error().retry_after_ms, 1'000u);
    return true;
  }));
}

}  // namespace
}  // namespace pqd::test

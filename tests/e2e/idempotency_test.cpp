// Idempotency keys over real processes: one job a key, whoever asks again and whatever died meanwhile.
#include "bindings/cpp/client.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

class IdempotencyKeyE2e : public WithPqctl {
 protected:
  void SetUp() override {
    WithPqctl::SetUp();
    auto client = Client::connect({.socket = daemon_.socket()});
    ASSERT_TRUE(client) << client.error().text;
    client_.emplace(std::move(*client));
  }
  Result<Outcome> submit(std::string_view payload, std::string_view queue = "default") {
    const auto ticket = client_->submit(
        {.type = "t", .queue = queue, .payload = as_bytes(payload), .idempotency_key = "order 17"});
    if (!ticket) return std::unexpected(ticket.error());
    return client_->wait(*ticket, kWatchdog);
  }
  void expect_first(const JobId& first, JobState state) {
    const auto again = submit("content");
    ASSERT_TRUE(again) << again.error().text;
    EXPECT_TRUE(again->duplicate);
    EXPECT_EQ(again->id, first);
    EXPECT_EQ(again->state, state);
    const Ran ran = pqctl({"submit", "t", "content", "--key", "order 17"});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_EQ(ran.out, first.to_string() + "\n");
    EXPECT_TRUE(has(ran.err, "was there already")) << ran.err;
    const std::string json = output({"submit", "t", "content", "--key", "order 17", "-o", "jsonl"});
    EXPECT_TRUE(has(json, "\"duplicate\":true")) << json;
    EXPECT_EQ(job_count(), 1u);
  }
  void expect_duplicate_request() {
    const auto refused_one = submit("other content");
    ASSERT_FALSE(refused_one);
    EXPECT_EQ(refused_one.error().error, Error::kDuplicateRequest);
    refused({"submit", "t", "other content", "--key", "order 17"}, 65,
            {"DUPLICATE_REQUEST", "idempotency key", "another key"});
  }

  std::optional<Client> client_;
};

TEST_F(IdempotencyKeyE2e, SameKeyAndContentGivesTheFirstJobMarkedDuplicateOverTheDeathsOfTheDaemon) {
  const auto first = submit("content");
  ASSERT_TRUE(first) << first.error().text;
  EXPECT_FALSE(first->duplicate);
  expect_first(first->id, JobState::kPending);
  daemon_.kill_engine();
  expect_first(first->id, JobState::kPending);
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  expect_first(first->id, JobState::kPending);
  ASSERT_TRUE(client_->subscribe({}));
  const auto job = client_->next(kWatchdog);
  ASSERT_TRUE(job && *job);
  const auto completed = client_->complete(**job);
  ASSERT_TRUE(completed && client_->wait(*completed, kWatchdog));
  expect_first(first->id, JobState::kCompleted);
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  expect_first(first->id, JobState::kCompleted);
}

TEST_F(IdempotencyKeyE2e, SameKeyWithOtherContentIsDuplicateRequest) {
  ASSERT_TRUE(submit("content"));
  expect_duplicate_request();
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  expect_duplicate_request();
  EXPECT_EQ(job_count(), 1u);
  const auto elsewhere = submit("other content", "another-queue");
  ASSERT_TRUE(elsewhere) << elsewhere.error().text;
  EXPECT_FALSE(elsewhere->duplicate) << "a key is its queue's";
  EXPECT_EQ(job_count(), 2u);
}

}  // namespace
}  // namespace pqd::test

// Dead letters by the thousand: looked into, redriven, purged, over a real daemon and its deaths.
#include <atomic>
#include <chrono>
#include <thread>

#include "bindings/cpp/client.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

class DeadLetterTest : public WithPqctl {
 protected:
  // Jobs that nobody works on and that wait for a millisecond only; returns their ids.
  std::vector<std::string> dead_letters(const std::string& type, size_t count,
                                        const std::string& queue = "default") {
    std::string lines;
    for (size_t i = 0; i < count; ++i)
      lines += "{\"type\":\"" + type + "\",\"queue\":\"" + queue +
               "\",\"payload\":\"secret\",\"queue_timeout\":\"1ms\"}\n";
    const std::string printed = output({"submit", "--ndjson", "-"}, lines);
    std::vector<std::string> ids;
    for (size_t at = 0; at + 36 < printed.size(); at += 37) ids.push_back(printed.substr(at, 36));
    EXPECT_EQ(ids.size(), count);
    expect_dlq(queue, count);
    return ids;
  }
  // Waits until the queue has so many.
  void expect_dlq(const std::string& queue, size_t count) {
    const std::string wanted = "\"dlqSize\":" + std::to_string(count) + ",";
    std::string shown;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    do {
      shown = output({"queue", "show", queue, "-o", "jsonl"});
    } while (!has(shown, wanted) && std::chrono::steady_clock::now() < end);
    EXPECT_TRUE(has(shown, wanted)) << wanted << " in " << shown;
  }
  std::string said(std::vector<std::string> words) {
    const Ran ran = pqctl(std::move(words));
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_EQ(ran.out, "");
    return ran.err;
  }
};

TEST_F(DeadLetterTest, ReviewIsShownWithItsReviewerOverTheEnginesDeath) {
  const std::string id = dead_letters("mail", 1).front();
  EXPECT_EQ(said({"dlq", "review", id, "--resolution", "bad address"}), "");
  daemon_.kill_engine();
  for (const char* how : {"show", "ls"}) {
    std::vector<std::string> words{"dlq", how, "-o", "jsonl"};
    if (how == std::string("show")) words.push_back(id);
    const std::string letter = output(words);
    EXPECT_TRUE(has(letter, "\"reviewed\":true")) << letter;
    EXPECT_TRUE(has(letter, "\"resolution\":\"bad address\"")) << letter;
    EXPECT_TRUE(has(letter, "\"uid\":" + std::to_string(::geteuid()))) << letter;
  }
  EXPECT_TRUE(has(output({"get", id}), "bad address"));
  EXPECT_EQ(said({"dlq", "redrive", id}), "");
  EXPECT_FALSE(has(job(id), "\"reviewed\":true")) << "a new life";
  EXPECT_TRUE(has(job(id), "bad address")) << "the history is kept";
}

TEST_F(DeadLetterTest, PurgedJobStaysKnownWithoutItsPayload) {
  const std::string id = dead_letters("mail", 1).front();
  EXPECT_TRUE(has(output({"dlq", "show", id}), "secret"));
  EXPECT_EQ(said({"dlq", "purge", id}), "");
  for (const bool after_death : {false, true}) {
    if (after_death) daemon_.kill_engine();
    refused({"dlq", "show", id}, 66, {"NOT_FOUND"});
    refused({"dlq", "redrive", id}, 1, {"INVALID_STATUS"});
    EXPECT_EQ(output({"dlq", "ls", "-o", "jsonl"}), "");
    EXPECT_TRUE(has(job(id), "\"status\":\"timeout\"")) << job(id);
    EXPECT_TRUE(has(job(id), "\"purged\":true")) << job(id);
    EXPECT_FALSE(has(job(id), "secret")) << job(id);
  }
}

TEST_F(DeadLetterTest, RedrivesThousandsByFilterEachOnceThoughTheyDieAgain) {
  dead_letters("bulk", 2'500);
  dead_letters("mail", 10, "letters");
  EXPECT_TRUE(has(said({"dlq", "redrive", "--type", "mail", "--dry-run"}), "10 would be redriven"));
  EXPECT_TRUE(has(said({"dlq", "redrive", "--all", "--dry-run"}), "2510 would be redriven"));
  EXPECT_TRUE(has(said({"dlq", "redrive", "--queue", "letters"}), " 10 redriven"));
  EXPECT_TRUE(has(said({"dlq", "redrive", "--type", "bulk"}), " 2500 redriven"));
  expect_dlq("default", 2'500);
  expect_dlq("letters", 10);
  EXPECT_TRUE(has(said({"dlq", "redrive", "--type", "nobody-had-it"}), " 0 redriven"));
  refused({"dlq", "redrive", "--queue", "nobody-has-it"}, 66, {"NOT_FOUND"});
}

TEST_F(DeadLetterTest, RedriveKeepsToItsRate) {
  dead_letters("bulk", 30);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(has(said({"dlq", "redrive", "--all", "--rate", "100/s"}), " 30 redriven"));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(200));
}

TEST_F(DeadLetterTest, PurgesByAgeAndTypeAndSaysHowMany) {
  dead_letters("old", 1'200);
  dead_letters("new", 5, "other");
  EXPECT_TRUE(has(said({"dlq", "purge", "--before", "1h"}), " 0 purged"));
  EXPECT_TRUE(has(said({"dlq", "purge", "--before", "2999-01-01", "--type", "old", "--dry-run"}),
                  "1200 would be purged"));
  EXPECT_TRUE(has(said({"dlq", "purge", "--before", "2999-01-01", "--type", "old"}), " 1200 purged"));
  EXPECT_EQ(line_count(output({"dlq", "ls", "-o", "jsonl"})), 5u) << "at once, whatever the store still has";
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  expect_dlq("default", 0);
  expect_dlq("other", 5);
  EXPECT_TRUE(has(said({"dlq", "purge", "--all"}), " 5 purged"));
  EXPECT_EQ(output({"dlq", "ls", "-o", "jsonl"}), "");
  EXPECT_EQ(job_count(), 1'205u) << "none vanished";
}

// A question about a finished job is answered by the store, which knows nothing of a life begun meanwhile.
TEST(RedrivenDeadLetter, IsKnownAtAnyMomentBetweenOneLifeAndTheNext) {
  constexpr uint64_t kLives = 150;
  Daemon daemon("[store]\ncheckpoint_interval = \"10ms\"\n");
  ASSERT_TRUE(daemon.start());
  auto client = Client::connect({.socket = daemon.socket()});
  ASSERT_TRUE(client);
  Ticket last;
  for (int i = 0; i < 3'000; ++i) last = client->submit({.type = "t", .queue_timeout_ms = 15}).value();
  ASSERT_TRUE(client->wait(last, kWatchdog));
  std::atomic<uint64_t> lives{0};
  std::atomic<bool> over{false};
  const std::jthread redriver([&] {
    auto other = Client::connect({.socket = daemon.socket()});
    EXPECT_TRUE(other && eventually([&] { return other->redrive(last.id) && ++lives == kLives; })) << lives;
    over = true;
  });
  // Questions stand in line for longer than from one checkpoint to the next.
  std::vector<std::jthread> listers;
  for (int i = 0; i < 16; ++i)
    listers.emplace_back([&] {
      auto other = Client::connect({.socket = daemon.socket()});
      while (!over) ASSERT_TRUE(other && other->list({.limit = 1'000}));
    });
  while (!over) {
    const auto job = client->get(last.id);
    ASSERT_TRUE(job) << job.error().text << " after " << lives << " lives";
  }
}

// Until the next checkpoint the store has it as it was.
TEST(RedrivenDeadLetter, StandsAmongNoFailedJobsWhateverTheStoreStillSays) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  JobId id;
  {
    auto client = Client::connect({.socket = daemon.socket()});
    ASSERT_TRUE(client && client->subscribe({}));
    ASSERT_TRUE(client->submit({.type = "t"}));
    const auto job = client->next(kWatchdog);
    ASSERT_TRUE(job && *job);
    id = (*job)->id();
    const auto failed = client->fail(**job, "no", false);
    ASSERT_TRUE(failed && client->wait(*failed, kWatchdog));
  }
  daemon.stop();  // with a checkpoint
  daemon.configure("[store]\ncheckpoint_interval = \"60s\"\n");
  ASSERT_TRUE(daemon.start());
  auto client = Client::connect({.socket = daemon.socket()});
  ASSERT_TRUE(client);
  const ListFilter failed{.states = 1u << static_cast<unsigned>(JobState::kFailed)};
  ASSERT_EQ(client->list(failed)->size(), 1u);
  ASSERT_TRUE(client->redrive(id));
  EXPECT_EQ(client->list(failed)->size(), 0u);
  EXPECT_EQ(client->dlq({})->size(), 0u);
  EXPECT_EQ(client->list({})->size(), 1u);
}

}  // namespace
}  // namespace pqd::test

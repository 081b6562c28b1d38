// Jobs that must not be taken: refused by name, for a reason that can be acted upon, and not half taken.
#include "bindings/cpp/client.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

using BadJob = WithPqctl;

const std::vector<std::string> kBadNames{"",          "a/b",         "sp ace", "\xc3\xbc",
                                         "new\nline", "\033[31mred", "*",      std::string(65, 'n')};

class StrictDaemon : public WithPqctl {
 protected:
  StrictDaemon() : WithPqctl("[queues]\nstrict = true\n[queue.mail]\n") {}
};

TEST_F(BadJob, MakesAQueueOfAnyGoodNameOnItsFirstUse) {
  for (const std::string name : {"a", "A.b_c:d-9", "nobody-named-this"}) {
    EXPECT_FALSE(has_queue(name));
    EXPECT_EQ(output({"submit", "t", "--queue", name}).size(), 37u);
    EXPECT_TRUE(has_queue(name));
  }
  EXPECT_EQ(output({"submit", std::string(64, 't'), "--queue", std::string(64, 'q')}).size(), 37u);
}

TEST_F(StrictDaemon, TakesJobsForTheQueuesThatTheConfigurationNames) {
  EXPECT_EQ(output({"submit", "t"}).size(), 37u);
  EXPECT_EQ(output({"submit", "t", "--queue", "mail"}).size(), 37u);
  refused({"submit", "t", "--queue", "mial"}, 66, {"NOT_FOUND", "\"mial\"", "strict", "[queue.NAME]"});
  const Ran lines =
      pqctl({"submit", "--ndjson", "-"}, "{\"type\":\"t\",\"queue\":\"mial\"}\n{\"type\":\"t\"}\n");
  EXPECT_EQ(lines.exit, 66);
  EXPECT_EQ(line_count(lines.out), 1u);
  EXPECT_TRUE(has(lines.err, "line 1: NOT_FOUND")) << lines.err;
  EXPECT_FALSE(has_queue("mial"));
  EXPECT_EQ(job_count(), 3u);
}

TEST_F(BadJob, RefusesNamesOutOfTheRules) {
  for (const std::string& name : kBadNames) {
    refused({"submit", "t", "--queue", name}, 65,
            {"INVALID_REQUEST", "queue", "1 to 64 of A-Z a-z 0-9 . _ : -"});
    refused({"submit", name}, 65, {"INVALID_REQUEST", "type", "1 to 64 of A-Z a-z 0-9 . _ : -"});
    const Ran pause = pqctl({"queue", "pause", name});
    EXPECT_EQ(pause.exit, 65) << pause.err;
  }
  EXPECT_EQ(job_count(), 0u);
  EXPECT_EQ(line_count(output({"queue", "ls", "-o", "jsonl"})), 1u);
}

TEST_F(BadJob, RefusesPrioritiesAndModesThatDoNotExist) {
  for (const std::string priority : {"0", "21", "-1", "256", "5.5", "urgent"})
    refused({"submit", "t", "--priority=" + priority}, 65,
            {"INVALID_PRIORITY", "1 to 20", "\"" + priority + "\""});
  refused({"submit", "t", "--mode", "priorty"}, 65,
          {"INVALID_MODE", "fifo, priority, batch", "did you mean priority?"});
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client);
  for (const int priority : {0, 21}) {
    const auto ticket = client->submit({.type = "t", .priority = static_cast<uint8_t>(priority)});
    ASSERT_FALSE(ticket);
    EXPECT_EQ(ticket.error().error, Error::kInvalidPriority);
  }
  EXPECT_EQ(job_count(), 0u);
}

TEST_F(BadJob, TakesAPayloadOfTheLimitAndNoByteMore) {
  const size_t limit = limits::kPayloadBytesDefault;
  const std::string id = first_line(output({"submit", "t", "-"}, std::string(limit, 'x')));
  EXPECT_TRUE(has(job(id), "\"payloadBytes\":" + std::to_string(limit)));
  refused({"submit", "t", "-"}, 65, {"PAYLOAD_TOO_LARGE", std::to_string(limit), "reference"},
          std::string(limit + 1, 'x'));
  refused({"submit", "t", "-"}, 65, {"PAYLOAD_TOO_LARGE", "reference"},
          std::string(limits::kPayloadBytesMax + 1, 'x'));
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client);
  const Bytes payload(limit + 1);
  const auto whole = client->submit({.type = "t", .payload = payload});
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().error, Error::kPayloadTooLarge);
  const std::vector<SubmitRequest> batch{{.type = "t"}, {.type = "t", .payload = payload}};
  const auto many = client->submit_many(batch);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().error, Error::kPayloadTooLarge);
  EXPECT_TRUE(has(many.error().text, "job 2:")) << many.error().text;
  EXPECT_EQ(job_count(), 1u);
}

TEST_F(BadJob, TakesMetadataOfTheLimitAndNoByteMore) {
  const auto metadata = [](size_t bytes) { return "\"" + std::string(bytes - 2, 'm') + "\""; };
  output({"submit", "t", "--metadata", metadata(limits::kMetadataBytesMax)});
  refused({"submit", "t", "--metadata", metadata(limits::kMetadataBytesMax + 1)}, 65,
          {"PAYLOAD_TOO_LARGE", "metadata", "4 KiB"});
  refused({"submit", "t", "--metadata", "{\"a\":"}, 65, {"INVALID_REQUEST", "metadata", "not valid JSON"});
  EXPECT_EQ(job_count(), 1u);
}

TEST_F(BadJob, OfDurabilityMemoryWithAnIdempotencyKeyIsTold) {
  refused({"submit", "t", "--durability", "memory", "--key", "k"}, 65, {"INVALID_REQUEST", "memory", "key"});
  EXPECT_EQ(job_count(), 0u);
}

TEST_F(BadJob, BeyondTheMostQueuesIsToldWhichLimitWasMet) {
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client) << client.error().text;
  for (uint32_t i = 1; i < limits::kQueuesMax; ++i) {
    const std::string queue = "q" + std::to_string(i);
    ASSERT_TRUE(client->submit({.type = "t", .queue = queue, .durability = Durability::kMemory}));
  }
  const auto report = client->flush(kWatchdog);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->refused, 0u);
  refused({"submit", "t", "--queue", "one-more"}, 65, {"INVALID_REQUEST", "4096 queues", "pqctl queue ls"});
  const Ran lines = pqctl({"submit", "--ndjson", "-"}, "{\"type\":\"t\",\"queue\":\"one-more\"}\n");
  EXPECT_EQ(lines.exit, 65);
  EXPECT_TRUE(has(lines.err, "line 1: INVALID_REQUEST")) << lines.err;
  EXPECT_TRUE(has(lines.err, "4096 queues")) << lines.err;
  EXPECT_FALSE(has(lines.err, "idempotency")) << lines.err;
  const auto subscribed = client->subscribe({.queue = "one-more"});
  ASSERT_FALSE(subscribed);
  EXPECT_TRUE(has(subscribed.error().text, "4096 queues")) << subscribed.error().text;
  output({"submit", "another-type", "--queue", "q1"});
}

TEST_F(BadJob, BeyondTheMostTypesIsToldWhichLimitWasMet) {
  auto client = Client::connect({.socket = daemon_.socket(), .submit_timeout_ms = 60'000});
  ASSERT_TRUE(client) << client.error().text;
  // Into 16 queues, because 10'000 jobs fill one.
  for (uint32_t i = 0; i < limits::kTypesMax; ++i) {
    const std::string type = "t" + std::to_string(i);
    const std::string queue = "q" + std::to_string(i % 16);
    ASSERT_TRUE(client->submit({.type = type, .queue = queue, .durability = Durability::kMemory}));
  }
  const auto report = client->flush(kWatchdog);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->refused, 0u);
  refused({"submit", "one-more", "--queue", "q1"}, 65, {"INVALID_REQUEST", "65536 types"});
  output({"submit", "t7", "--queue", "q1"});
}

TEST_F(BadJob, TellsThatItsQueueIsBeingDrainedAndHowToOpenItAgain) {
  output({"queue", "drain", "default"});
  refused({"submit", "t"}, 69, {"UNAVAILABLE", "\"default\"", "drained", "pqctl queue resume"});
  output({"queue", "resume", "default"});
  output({"submit", "t"});
}

class FullQueue : public WithPqctl {
 protected:
  FullQueue() : WithPqctl("[queue.small]\nmax_depth = 2\nadmission_timeout = \"100ms\"\n") {}
};

TEST_F(FullQueue, TellsThatItIsFullAndWhenToComeBack) {
  for (int i = 0; i < 2; ++i) output({"submit", "t", "--queue", "small"});
  refused({"submit", "t", "--queue", "small"}, 75, {"QUEUE_FULL", "\"small\"", "try again in "});
  const Ran lines =
      pqctl({"submit", "--ndjson", "-"}, "{\"type\":\"t\",\"queue\":\"small\"}\n{\"type\":\"t\"}\n");
  EXPECT_EQ(lines.exit, 75);
  EXPECT_EQ(line_count(lines.out), 1u);
  EXPECT_TRUE(has(lines.err, "line 1: QUEUE_FULL")) << lines.err;
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client);
  const auto ticket = client->submit({.type = "t", .queue = "small"});
  ASSERT_TRUE(ticket);
  const auto outcome = client->wait(*ticket, kWatchdog);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error, Error::kQueueFull);
  EXPECT_GT(outcome.error().retry_after_ms, 0u);
  EXPECT_EQ(job_count(), 3u);
  // The others go on, and so does this queue when somebody makes room.
  const std::string id = first_line(output({"ls", "--queue", "small", "-o", "jsonl"}));
  const size_t at = id.find("\"requestId\":\"") + 13;
  output({"cancel", id.substr(at, 36)});
  output({"submit", "t", "--queue", "small"});
}

}  // namespace
}  // namespace pqd::test

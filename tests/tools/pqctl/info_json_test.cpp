#include "tools/pqctl/info_json.h"

#include <gtest/gtest.h>

#include "tools/pqctl/json_text.h"

namespace pqd::ctl {
namespace {

JobInfo completed_job() {
  JobInfo job;
  job.core.id = *JobId::parse("0199f3a2-5b1c-7000-8000-000000000001");
  job.core.state = JobState::kCompleted;
  job.core.created_ns = 1'769'860'800'250 * kMillisecondNs;
  job.core.attempts = 1;
  job.core.max_attempts = 3;
  job.queue = "default";
  job.type = "mail";
  const ByteView result = as_bytes("done");
  job.result.assign(result.begin(), result.end());
  return job;
}

TEST(InfoJson, NamesAJobsFieldsAsTheContractDoes) {
  EXPECT_EQ(
      json_text(job_json(completed_job()), JsonStyle::kCompact),
      R"({"requestId":"0199f3a2-5b1c-7000-8000-000000000001","status":"completed","queue":"default",)"
      R"("type":"mail","priority":5,"mode":"fifo","attempts":1,"maxAttempts":3,"delivery":"at-least-once",)"
      R"("durability":"fsync","createdAt":"2026-01-31T12:00:00.250Z","uid":0,"payloadBytes":0,)"
      R"("result":"done","errors":[]})");
}

TEST(InfoJson, GivesBytesThatAreNoTextInBase64) {
  JobInfo job = completed_job();
  job.result = {std::byte{0xFF}, std::byte{0}};
  const auto object = job_json(job);
  EXPECT_FALSE(object.contains("result"));
  EXPECT_EQ(object.at("resultBase64").as_string(), "/wA=");
}

TEST(InfoJson, TellsEveryAttemptsError) {
  JobInfo job = completed_job();
  job.core.state = JobState::kFailed;
  job.core.reason = Reason::kFailedByConsumer;
  job.history = {{.attempt = 1,
                  .reason = Reason::kFailedByConsumer,
                  .when_ns = kSecondNs,
                  .session = 4,
                  .uid = 7,
                  .error = "exit 3: \xFFno"}};
  const auto object = job_json(job);
  EXPECT_EQ(json_text(object.at("errors"), JsonStyle::kCompact),
            "[{\"attempt\":1,\"reason\":\"failed\",\"error\":\"exit 3: \uFFFDno\","
            "\"at\":\"1970-01-01T00:00:01.000Z\",\"session\":4,\"uid\":7}]");
  EXPECT_FALSE(object.contains("result"));
}

TEST(InfoJson, NamesTheErrorThatAReasonStandsFor) {
  JobInfo job = completed_job();
  job.core.state = JobState::kTimeout;
  job.core.reason = Reason::kQueueTimeout;
  job.history.resize(2);
  job.history[0].reason = Reason::kLeaseExpired;
  job.history[1].reason = Reason::kConsumerDied;
  const auto object = job_json(job);
  EXPECT_EQ(object.at("code").as_string(), "REQUEST_TIMEOUT");
  EXPECT_EQ(object.at("errors").at(0).at("reason").as_string(), "processing_timeout");
  EXPECT_EQ(object.at("errors").at(0).at("code").as_string(), "PROCESSING_TIMEOUT");
  EXPECT_EQ(object.at("errors").at(1).at("code").as_string(), "WORKER_UNAVAILABLE");
}

TEST(InfoJson, KeepsMetadataAsJson) {
  JobInfo job = completed_job();
  job.metadata = R"({"tenant":"acme"})";
  EXPECT_EQ(job_json(job).at("metadata").at("tenant").as_string(), "acme");
}

TEST(InfoJson, HasHealthKeysInTheContractsOrder) {
  HealthInfo health;
  health.healthy = false;
  health.status = 1;
  health.now_ns = 1'769'860'800'000 * kMillisecondNs;
  health.queue_depth = 10;
  health.active_workers = 3;
  health.average_wait_ms = 150;
  health.completed_recent = 98;
  health.failed_recent = 2;
  health.capacity = 1'000;
  health.degraded_reasons = {"queue a: old"};
  EXPECT_EQ(
      json_text(health_json(health), JsonStyle::kCompact),
      R"({"healthy":false,"status":"degraded","queueDepth":10,"activeWorkers":3,"averageWaitTimeMs":150,)"
      R"("averageProcessingTimeMs":0,"failureRate":0.02,"timestamp":"2026-01-31T12:00:00.000Z",)"
      R"("pendingCount":0,"processingCount":0,"recentFailures":2,"dlqSize":0,"capacityUtilization":0.01,)"
      R"("oldestReadyAgeMs":0,"degradedReasons":["queue a: old"]})");
}

}  // namespace
}  // namespace pqd::ctl

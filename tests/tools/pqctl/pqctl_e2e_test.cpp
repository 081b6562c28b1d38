// pqctl against a real daemon in a directory of its own.
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <sstream>

#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/program.h"
#include "tools/pqctl/duration.h"
#include "tools/pqctl/json_text.h"

namespace pqd::test {
namespace {

namespace json = boost::json;

class PqctlTest : public ::testing::Test {
 protected:
  void SetUp() override { serve({}); }
  void serve(const std::vector<std::string>& options) {
    std::vector<std::string> pqd{PQD_BIN_DIR "/pqd", "--dev", "--dir", directory_.path("pqd")};
    pqd.insert(pqd.end(), options.begin(), options.end());
    daemon_ = std::make_unique<Program>(pqd);
    const std::string ready = "pqd is ready: PQD_SOCKET=";
    ASSERT_TRUE(daemon_->says(ready)) << daemon_->out() << daemon_->err();
    const std::string out = daemon_->out();
    const size_t at = out.find(ready) + ready.size();
    socket_ = "PQD_SOCKET=" + out.substr(at, out.find_first_of(" \n", at) - at);
  }
  void TearDown() override {
    if (daemon_ == nullptr) return;
    daemon_->signal(SIGTERM);
    EXPECT_EQ(daemon_->wait(), 0) << daemon_->err();
  }

  std::vector<std::string> words(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), PQD_BIN_DIR "/pqctl");
    return arguments;
  }
  Ran pqctl(std::vector<std::string> arguments, const std::string& input = {}) {
    return run(words(std::move(arguments)), {socket_}, input);
  }
  // What it printed, which must be all that it had to say.
  std::string output(std::vector<std::string> arguments, const std::string& input = {}) {
    const Ran ran = pqctl(std::move(arguments), input);
    EXPECT_EQ(ran.exit, 0) << ran.err;
    return ran.out;
  }
  std::string submit(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "submit");
    std::string id = output(std::move(arguments));
    EXPECT_EQ(id.size(), 37u) << id;
    return id.substr(0, 36);
  }
  json::object job(const std::string& id) {
    const auto value = ctl::parse_json(output({"get", id, "-o", "jsonl"}));
    EXPECT_TRUE(value && value->is_object());
    return value && value->is_object() ? value->get_object() : json::object();
  }
  std::string status(const std::string& id) {
    json::object object = job(id);
    return object.contains("status") ? std::string(object["status"].as_string()) : "";
  }
  bool becomes(const std::string& id, const std::string& wanted) {
    for (int i = 0; i < 600; ++i) {
      if (status(id) == wanted) return true;
      ::usleep(20'000);
    }
    return false;
  }
  std::unique_ptr<Program> work(std::vector<std::string> options, const std::string& script) {
    options.insert(options.begin(), "work");
    options.insert(options.end(), {"--", "sh", "-c", script});
    return std::make_unique<Program>(words(std::move(options)), std::vector<std::string>{socket_});
  }

  TempDir directory_;
  std::unique_ptr<Program> daemon_;
  std::string socket_;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

int stop(Program& program) {
  program.signal(SIGTERM);
  return program.wait();
}

TEST_F(PqctlTest, RunsACommandForAJobAndPrintsItsResult) {
  const auto worker = work({"upper"}, "tr a-z A-Z");
  EXPECT_EQ(output({"submit", "upper", "hello", "--wait"}), "HELLO");
  const std::string id = submit({"upper", "again"});
  EXPECT_EQ(output({"wait", id}), "AGAIN");
  const json::object shown = job(id);
  EXPECT_EQ(shown.at("requestId").as_string(), id);
  EXPECT_EQ(shown.at("status").as_string(), "completed");
  EXPECT_EQ(shown.at("result").as_string(), "AGAIN");
  EXPECT_EQ(shown.at("attempts").to_number<int>(), 1);
  EXPECT_EQ(stop(*worker), 0) << worker->err();
}

TEST_F(PqctlTest, SubmitsFifoAtLeastOnceFsyncAndNormalUnlessToldOtherwise) {
  const json::object shown = job(submit({"t"}));
  EXPECT_EQ(shown.at("queue").as_string(), "default");
  EXPECT_EQ(shown.at("mode").as_string(), "fifo");
  EXPECT_EQ(shown.at("priority").to_number<int>(), 5);
  EXPECT_EQ(shown.at("delivery").as_string(), "at-least-once");
  EXPECT_EQ(shown.at("durability").as_string(), "fsync");
  EXPECT_EQ(shown.at("maxAttempts").to_number<int>(), 3);
}

TEST_F(PqctlTest, TellsTheCommandAboutItsJob) {
  const auto worker = work(
      {"env", "--queue", "web"},
      "echo $PQD_JOB_ID $PQD_QUEUE $PQD_TYPE $PQD_ATTEMPT/$PQD_MAX_ATTEMPTS $PQD_PRIORITY $PQD_METADATA");
  const std::string id = submit({"env", "--queue", "web", "--mode", "priority", "--priority", "HIGH",
                                 "--attempts", "7", "--metadata", "{\"a\":1}"});
  EXPECT_EQ(output({"wait", id}), id + " web env 1/7 10 {\"a\":1}\n");
}

TEST_F(PqctlTest, TriesAgainUntilTheCommandSucceeds) {
  const auto worker = work({"flaky"}, "echo no luck >&2; test $PQD_ATTEMPT -ge 3 || exit 3; echo done");
  const std::string ids =
      output({"submit", "--ndjson", "-"}, "{\"type\":\"flaky\",\"backoff\":\"5ms\",\"max_attempts\":3}\n");
  const std::string id = ids.substr(0, 36);
  EXPECT_EQ(output({"wait", id}), "done\n");
  const json::array errors = job(id).at("errors").as_array();
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].at("error").as_string(), "exit 3: no luck");
}

TEST_F(PqctlTest, FailsForGoodOn65AndGivesADeadLetterANewLife) {
  TempDir mark;
  const auto worker =
      work({"picky"}, "test -e " + mark.path("ok") + " || { echo bad input >&2; exit 65; }; cat");
  const std::string id = submit({"picky", "secret"});
  const Ran waited = pqctl({"wait", id});
  EXPECT_EQ(waited.exit, 1);
  EXPECT_EQ(waited.out, "");
  EXPECT_TRUE(has(waited.err, "bad input")) << waited.err;
  EXPECT_TRUE(has(output({"dlq", "ls"}), id));
  const auto letter = ctl::parse_json(output({"dlq", "show", id, "-o", "json"}));
  ASSERT_TRUE(letter);
  EXPECT_EQ(letter->at("payload").as_string(), "secret");
  EXPECT_EQ(run({"touch", mark.path("ok")}).exit, 0);
  EXPECT_EQ(pqctl({"dlq", "redrive", "--type", "picky", "--rate", "100/s"}).exit, 0);
  EXPECT_EQ(output({"wait", id}), "secret");
  EXPECT_FALSE(has(output({"dlq", "ls"}), id));
}

TEST_F(PqctlTest, RefusesAnOutputThatIsTooLongForAResult) {
  const auto worker = work({"big"}, "head -c 70000 /dev/zero");
  const std::string id = submit({"big"});
  EXPECT_EQ(pqctl({"wait", id}).exit, 1);
  EXPECT_EQ(job(id).at("status").as_string(), "failed");
}

TEST_F(PqctlTest, SubmitsTheGoodLinesAndNamesTheBadOnes) {
  std::string input;
  for (int i = 1; i <= 2'000; ++i) {
    if (i == 7) {
      input += "garbage\n";
    } else if (i == 1'500) {
      input += "{\"type\":\"t\",\"priority\":21}\n";
    } else {
      input += "{\"type\":\"t\",\"payload\":{\"n\":" + std::to_string(i) + "}}\n\n";
    }
  }
  const Ran ran = pqctl({"submit", "--ndjson", "-"}, input);
  EXPECT_EQ(ran.exit, 65);
  EXPECT_EQ(lines_of(ran.out).size(), 1'998u);
  EXPECT_TRUE(has(ran.err, "line 13: INVALID_REQUEST")) << ran.err;
  EXPECT_TRUE(has(ran.err, "INVALID_PRIORITY")) << ran.err;
  EXPECT_EQ(job(lines_of(ran.out)[0]).at("payloadBytes").to_number<int>(), 7);
  const auto listed = ctl::parse_json(output({"ls", "--limit", "5000", "-o", "json"}));
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->as_array().size(), 1'998u);
}

TEST_F(PqctlTest, RefusesAPayloadOverTheDaemonsLimit) {
  const Ran ran = pqctl({"submit", "t", "-"}, std::string(200 * 1024, 'x'));
  EXPECT_EQ(ran.exit, 0) << ran.err;
  const Ran larger = pqctl({"submit", "t", "-"}, std::string(300 * 1024, 'x'));
  EXPECT_EQ(larger.exit, 65);
  EXPECT_TRUE(has(larger.err, "PAYLOAD_TOO_LARGE")) << larger.err;
}

TEST_F(PqctlTest, EndsWith124WhenTheWaitTimesOut) {
  const std::string id = submit({"nobody"});
  const Ran ran = pqctl({"wait", id, "--timeout", "200ms"});
  EXPECT_EQ(ran.exit, 124);
  EXPECT_TRUE(has(ran.err, "still pending")) << ran.err;
}

TEST_F(PqctlTest, EndsWith66WhenThereIsNoSuchJobOrQueue) {
  const std::string id = "0199f3a2-5b1c-7000-8000-000000000001";
  EXPECT_EQ(pqctl({"get", id}).exit, 66);
  EXPECT_EQ(pqctl({"wait", id}).exit, 66);
  EXPECT_EQ(pqctl({"cancel", id}).exit, 66);
  EXPECT_EQ(pqctl({"dlq", "show", id}).exit, 66);
  EXPECT_EQ(pqctl({"dlq", "redrive", id}).exit, 66);
  EXPECT_EQ(pqctl({"queue", "show", "no-such-queue"}).exit, 66);
}

TEST_F(PqctlTest, CancelsAPendingJob) {
  const std::string id = submit({"nobody"});
  EXPECT_EQ(pqctl({"cancel", id}).exit, 0);
  EXPECT_EQ(status(id), "cancelled");
  EXPECT_EQ(pqctl({"wait", id}).exit, 1);
}

TEST_F(PqctlTest, StopsTheCommandOfARunningJobThatIsCancelled) {
  const auto worker = work({"long"}, "echo begun >&2; exec sleep 1000");
  const std::string id = submit({"long"});
  ASSERT_TRUE(worker->says("begun"));
  const Ran refused = pqctl({"cancel", id});
  EXPECT_EQ(refused.exit, 1);
  EXPECT_TRUE(has(refused.err, "--running")) << refused.err;
  EXPECT_EQ(pqctl({"cancel", id, "--running"}).exit, 0);
  EXPECT_EQ(pqctl({"wait", id, "--timeout", "30s"}).exit, 1);
  EXPECT_EQ(status(id), "cancelled");
}

TEST_F(PqctlTest, ExtendsTheLeaseWhileTheCommandRuns) {
  const auto worker = work({"slow"}, "sleep 2; echo $PQD_ATTEMPT");
  const std::string ids =
      output({"submit", "--ndjson", "-"}, "{\"type\":\"slow\",\"processing_timeout\":\"600ms\"}\n");
  EXPECT_EQ(output({"wait", ids.substr(0, 36)}), "1\n");
}

// `work` was stopped when the job came, and took it with a third of its lease left.
TEST_F(PqctlTest, ExtendsALeaseByItsWholeLengthWhenTheDeliveryCameLate) {
  constexpr int64_t kLeaseMs = 3'000;
  TempDir mark;
  const auto worker = work({"slow"}, "while ! test -e " + mark.path("go") + "; do sleep 0.05; done");
  ASSERT_TRUE(eventually([&] {
    const auto queue = ctl::parse_json(output({"queue", "show", "default", "-o", "json"}));
    return queue && queue->at("consumers") == 1;
  }));
  worker->signal(SIGSTOP);
  ASSERT_TRUE(becomes_stopped(worker->pid()));
  const std::string ids =
      output({"submit", "--ndjson", "-"}, "{\"type\":\"slow\",\"processing_timeout\":\"3s\"}\n");
  const std::string id = ids.substr(0, 36);
  ASSERT_TRUE(becomes(id, "assigned"));
  const auto until = ctl::parse_time_ms(std::string(job(id).at("leaseUntil").as_string()));
  ASSERT_TRUE(until);
  ASSERT_TRUE(eventually([&] { return ctl::unix_now_ms() >= *until - kLeaseMs / 3; }));
  worker->signal(SIGCONT);
  std::vector<int64_t> extended;
  const auto look = [&] {
    extended.clear();
    for (const std::string& line : lines_of(output({"events", "--job", id, "-o", "jsonl"}))) {
      const auto event = ctl::parse_json(line);
      if (event && event->at("event") == "extended")
        extended.push_back(*ctl::parse_time_ms(std::string(event->at("at").as_string())));
    }
    return extended.size() >= 4;
  };
  ASSERT_TRUE(eventually(look));
  // Not a third of what was left.
  EXPECT_GT(extended[3] - extended[2], kLeaseMs / 5);
  EXPECT_EQ(run({"touch", mark.path("go")}).exit, 0);
  EXPECT_TRUE(becomes(id, "completed"));
  EXPECT_EQ(job(id).at("attempts").to_number<int>(), 1);
}

TEST_F(PqctlTest, StopsTheCommandOfAJobWhoseLeaseItLost) {
  const auto worker =
      work({"slow"},
           "test $PQD_ATTEMPT = 1 || { echo again; exit; }; trap 'echo stopped >&2; exit 1' TERM; "
           "echo begun >&2; while :; do sleep 0.05; done");
  const std::string ids = output({"submit", "--ndjson", "-"},
                                 "{\"type\":\"slow\",\"processing_timeout\":\"1s\",\"max_attempts\":100}\n");
  const std::string id = ids.substr(0, 36);
  ASSERT_TRUE(worker->says("begun"));
  worker->signal(SIGSTOP);
  EXPECT_TRUE(becomes(id, "pending"));
  worker->signal(SIGCONT);
  EXPECT_TRUE(worker->says("stopped"));
  EXPECT_EQ(output({"wait", id}), "again\n");
}

TEST_F(PqctlTest, FinishesWhatRunsAndGivesBackTheRestWhenToldToStop) {
  TempDir mark;
  const auto worker = work({"j", "--ahead", "4"}, "echo begun >&2; while ! test -e " + mark.path("go") +
                                                      "; do sleep 0.05; done; echo done");
  const std::string first = submit({"j"});
  ASSERT_TRUE(worker->says("begun"));
  const std::string second = submit({"j"});
  ASSERT_TRUE(becomes(second, "assigned"));
  worker->signal(SIGINT);
  EXPECT_TRUE(becomes(second, "pending"));
  EXPECT_TRUE(worker->running());
  EXPECT_EQ(run({"touch", mark.path("go")}).exit, 0);
  EXPECT_EQ(worker->wait(), 0) << worker->err();
  EXPECT_EQ(status(first), "completed");
  EXPECT_EQ(job(second).at("attempts").to_number<int>(), 0);
}

TEST_F(PqctlTest, KillsTheCommandsAtTheSecondSignalAndGivesTheirJobsBack) {
  const auto worker = work({"j"}, "echo begun >&2; exec sleep 1000");
  const std::string id = submit({"j"});
  ASSERT_TRUE(worker->says("begun"));
  worker->signal(SIGTERM);
  ASSERT_TRUE(worker->says("stopping"));
  worker->signal(SIGTERM);
  EXPECT_EQ(worker->wait(), 1);
  EXPECT_TRUE(becomes(id, "pending"));
  EXPECT_EQ(job(id).at("attempts").to_number<int>(), 0);
}

TEST_F(PqctlTest, DoesNotWaitForADaemonThatIsAwayWhenToldTwiceToStop) {
  const auto worker = work({"j"}, "echo begun >&2; exec sleep 1000");
  submit({"j"});
  ASSERT_TRUE(worker->says("begun"));
  daemon_->signal(SIGKILL);
  EXPECT_EQ(daemon_->wait(), 128 + SIGKILL);
  daemon_.reset();
  worker->signal(SIGTERM);
  ASSERT_TRUE(worker->says("stopping"));
  EXPECT_TRUE(worker->running());
  worker->signal(SIGTERM);
  EXPECT_EQ(worker->wait(), 1);
  EXPECT_TRUE(has(worker->err(), "could not be told")) << worker->err();
}

TEST_F(PqctlTest, WorksOnSeveralJobsAtOnce) {
  TempDir mark;
  // Each waits until all three are there.
  const auto worker =
      work({"j", "--concurrency", "3"}, "touch " + mark.path("$PQD_JOB_ID") + "; while test $(ls " +
                                            mark.path() + " | wc -l) -lt 3; do sleep 0.05; done");
  std::string input;
  for (int i = 0; i < 3; ++i) input += "{\"type\":\"j\"}\n";
  for (const std::string& id : lines_of(output({"submit", "--ndjson", "-"}, input))) {
    EXPECT_EQ(pqctl({"wait", id, "--timeout", "30s"}).exit, 0);
  }
}

TEST_F(PqctlTest, PausesAndResumesAQueue) {
  submit({"j", "--queue", "web"});
  EXPECT_EQ(pqctl({"queue", "pause", "web"}).exit, 0);
  EXPECT_TRUE(has(output({"queue", "ls"}), "paused"));
  const auto worker = work({"j", "--queue", "web"}, "true");
  const std::string id = submit({"j", "--queue", "web"});
  EXPECT_EQ(pqctl({"wait", id, "--timeout", "300ms"}).exit, 124);
  EXPECT_EQ(pqctl({"queue", "resume", "web"}).exit, 0);
  EXPECT_EQ(pqctl({"wait", id, "--timeout", "30s"}).exit, 0);
  const auto shown = ctl::parse_json(output({"queue", "show", "web", "-o", "json"}));
  ASSERT_TRUE(shown);
  EXPECT_FALSE(shown->at("paused").as_bool());
}

TEST_F(PqctlTest, ExplainsWhyAJobWaitsAndWhatToDoAboutIt) {
  const std::string id = submit({"lonely"});
  const std::string shown = output({"explain", id});
  EXPECT_TRUE(has(shown, "there is none")) << shown;
  EXPECT_TRUE(has(shown, "pqctl work lonely -- CMD")) << shown;
  const auto value = ctl::parse_json(output({"explain", id, "-o", "json"}));
  ASSERT_TRUE(value && value->is_object());
  EXPECT_EQ(value->at("waitsFor").as_string(), "consumer");
  const auto worker = work({"lonely"}, "cat");
  ASSERT_TRUE(becomes(id, "completed"));
  EXPECT_TRUE(has(output({"explain", id}), "it is finished"));
  EXPECT_EQ(pqctl({"explain", "01a20f97-929f-7000-8000-090000000009"}).exit, 66);
  EXPECT_EQ(stop(*worker), 0) << worker->err();
}

TEST_F(PqctlTest, ListsWithinEightyColumnsAndByFilter) {
  const std::string id = submit({std::string(64, 't'), "--queue", std::string(64, 'q')});
  submit({"other"});
  const std::string table =
      output({"ls", "--type", std::string(64, 't'), "--state", "pending,failed", "--since", "1h"});
  ASSERT_EQ(lines_of(table).size(), 2u) << table;
  EXPECT_TRUE(has(table, id));
  EXPECT_EQ(lines_of(output({"ls", "--limit", "1"})).size(), 2u);
  EXPECT_EQ(lines_of(output({"ls", "-o", "jsonl"})).size(), 2u);
  EXPECT_EQ(lines_of(output({"ls", "--user", "4294967294"})).size(), 1u);
}

TEST_F(PqctlTest, TellsTheDaemonsHealth) {
  const Ran ran = pqctl({"health", "-o", "json"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  const auto health = ctl::parse_json(ran.out);
  ASSERT_TRUE(health);
  EXPECT_TRUE(health->at("healthy").as_bool());
  EXPECT_EQ(health->at("status").as_string(), "healthy");
  submit({"j", "--queue", "web", "--ttl", "0"});
  EXPECT_EQ(pqctl({"queue", "pause", "web"}).exit, 0);
  EXPECT_EQ(pqctl({"health"}).exit, 1);
}

TEST_F(PqctlTest, TellsFiguresAsTablesAndAsJson) {
  submit({"mail"});
  submit({"mail"});
  const std::string unwanted = submit({"report", "--queue", "other"});
  EXPECT_EQ(pqctl({"cancel", unwanted}).exit, 0);
  const auto of = [this](std::vector<std::string> words) {
    words.insert(words.begin(), "metrics");
    words.insert(words.end(), {"-o", "json"});
    const auto value = ctl::parse_json(output(words));
    EXPECT_TRUE(value);
    return value.value_or(json::value());
  };
  // They are up to a second late.
  ASSERT_TRUE(eventually([&] { return of({"hourly"}).at("cancelled") == 1; }));
  EXPECT_EQ(of({"daily"}).at("submitted"), 3);
  EXPECT_EQ(of({"daily", "--type", "mail"}).at("submitted"), 2);
  const json::value detailed = of({"detailed", "--from", "2h"});
  EXPECT_EQ(detailed.at("byStatus").at("cancelled"), 1);
  EXPECT_EQ(detailed.at("byType").at(0).at("type"), "mail");
  EXPECT_EQ(detailed.at("byQueue").at(1).at("queue"), "other");
  EXPECT_EQ(of({"detailed", "--from", "3d"}).at("resolution"), "hour");
  EXPECT_EQ(of({"by-type"}).as_array().size(), 2u);
  EXPECT_EQ(lines_of(output({"metrics", "by-type", "-o", "jsonl"})).size(), 2u);
  const std::string table = output({"metrics", "by-type"});
  ASSERT_EQ(lines_of(table).size(), 3u) << table;
  EXPECT_TRUE(lines_of(table)[0].starts_with("TYPE ")) << table;
  EXPECT_TRUE(lines_of(table)[1].starts_with("mail ")) << table;
  EXPECT_TRUE(has(output({"metrics", "hourly"}), "submitted   3\n"));
  EXPECT_TRUE(has(output({"metrics", "detailed"}), "\n\nQUEUE "));
  const Ran nowhere = pqctl({"metrics", "daily", "--queue", "nowhere"});
  EXPECT_EQ(nowhere.exit, 66);
  EXPECT_TRUE(has(nowhere.err, "there is no queue of this name")) << nowhere.err;
}

TEST_F(PqctlTest, ListsAPageBelowAnIdAndBeforeATime) {
  const std::string first = submit({"t", "1"});
  const std::string second = submit({"t", "2"});
  const std::string third = submit({"t", "3"});
  EXPECT_EQ(lines_of(output({"ls", "--before", third, "-o", "jsonl"})).size(), 2u);
  const std::string page = output({"ls", "--before", third, "--limit", "1", "-o", "jsonl"});
  EXPECT_TRUE(has(page, second)) << page;
  EXPECT_EQ(output({"ls", "--before", first, "-o", "jsonl"}), "");
  EXPECT_EQ(lines_of(output({"ls", "--until", "2100-01-01T00:00:00Z", "-o", "jsonl"})).size(), 3u);
  EXPECT_EQ(output({"ls", "--until", "1h", "-o", "jsonl"}), "");
  EXPECT_EQ(pqctl({"ls", "--before", "1234"}).exit, 65);
  EXPECT_EQ(pqctl({"ls", "--until", "soon"}).exit, 65);
}

class PqctlWithPartitions : public PqctlTest {
 protected:
  void SetUp() override {
    write_file(directory_.path("pqd.toml"), "[engine]\npartitions = 2\n");
    serve({"--config", directory_.path("pqd.toml")});
    // One in each, see tests/core/partition_test.cpp.
    for (const char* queue : {"default", "mail.urgent", "default"})
      ids_.push_back(submit({"t", "--queue", queue}));
  }
  std::string listed(std::vector<std::string> arguments, const char* field) {
    std::string all;
    std::istringstream lines(output(std::move(arguments)));
    for (std::string line; std::getline(lines, line);)
      all += std::string(ctl::parse_json(line).value().at(field).as_string()) + " ";
    return all;
  }
  std::vector<std::string> ids_;
};

TEST_F(PqctlWithPartitions, ShowsOneDaemon) {
  EXPECT_EQ(listed({"ls", "-o", "jsonl"}, "requestId"), ids_[2] + " " + ids_[1] + " " + ids_[0] + " ");
  EXPECT_EQ(listed({"ls", "-o", "jsonl", "--limit", "1"}, "requestId"), ids_[2] + " ");
  EXPECT_EQ(listed({"queue", "ls", "-o", "jsonl"}, "queue"), "default mail.urgent ");
  EXPECT_EQ(status(ids_[1]), "pending");
  EXPECT_NE(output({"health"}).find("3 pending"), std::string::npos);
  EXPECT_EQ(listed({"events", "-o", "jsonl"}, "requestId"), ids_[0] + " " + ids_[1] + " " + ids_[2] + " ");
}

TEST_F(PqctlWithPartitions, GivesAllDeadLettersANewLife) {
  for (const char* queue : {"default", "mail.urgent"}) {
    const auto worker = work({"t", "--queue", queue}, "exit 65");
    for (size_t i = 0; i < ids_.size(); ++i) {
      const bool of_this = (i == 1) == (std::string(queue) == "mail.urgent");
      if (of_this) {
        EXPECT_TRUE(becomes(ids_[i], "failed"));
      }
    }
    worker->signal(SIGTERM);
    EXPECT_EQ(worker->wait(), 0);
  }
  EXPECT_NE(pqctl({"dlq", "redrive", "--all"}).err.find("3 redriven"), std::string::npos);
  for (const std::string& id : ids_) EXPECT_EQ(status(id), "pending");
}

}  // namespace
}  // namespace pqd::test

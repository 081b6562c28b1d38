// Batches from end to end: collected by a real daemon, worked on by `pqctl work --batch` and by consumers
// that die, their jobs settled one by one.
#include <csignal>
#include <map>
#include <numeric>
#include <sstream>

#include "bindings/cpp/client.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"
#include "tests/support/forked.h"

namespace pqd::test {
namespace {

// Settles by the payloads: "good", "bad", "back", and nothing about any other.
constexpr const char* kTeller = R"SH(
while read -r line; do
  id=$(echo "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
  case "$line" in
    *'"payload":"good"'*) echo "{\"id\":\"$id\",\"outcome\":\"complete\",\"result\":{\"n\": 1.50}}" ;;
    *'"payload":"bad"'*) echo "{\"id\":\"$id\",\"outcome\":\"fail\",\"error\":\"no such address\",\"retry\":false}" ;;
    *'"payload":"back"'*) echo "{\"id\":\"$id\",\"outcome\":\"release\"}" ;;
    *'"payload":"noise"'*) echo "worked on $PQD_BATCH_SIZE jobs" ;;
  esac
done
)SH";

class BatchTest : public WithPqctl {
 protected:
  static constexpr Milliseconds kPatience{kWatchdog};

  BatchTest()
      : WithPqctl(
            "[daemon]\nengine_backoff_max = \"10ms\"\n[limits]\nrate_limit = 0\n"
            "[queues.defaults]\nbackoff = \"1ms\"\nmax_active = 0\n"
            "[queue.hundred]\nbatch_size = 100\nbatch_interval = \"1h\"\n"
            "[queue.three]\nbatch_size = 3\nbatch_interval = \"1h\"\n"
            "[queue.soon]\nbatch_size = 100\nbatch_interval = \"200ms\"\n") {}

  // In this order; the ids.
  std::vector<std::string> submit(const std::string& queue, const std::vector<std::string>& payloads,
                                  const std::string& more = {}) {
    std::string lines;
    for (const std::string& payload : payloads)
      lines += "{\"type\":\"t\",\"mode\":\"batch\",\"queue\":\"" + queue + "\",\"payload\":\"" + payload +
               "\"" + more + "}\n";
    std::istringstream printed(output({"submit", "--ndjson", "-"}, lines));
    std::vector<std::string> ids;
    for (std::string id; std::getline(printed, id);) ids.push_back(id);
    EXPECT_EQ(ids.size(), payloads.size());
    return ids;
  }
  std::unique_ptr<Program> work(const std::string& queue, const std::string& script,
                                std::vector<std::string> options = {}) {
    write_file(files_.path("script"), script);
    std::vector<std::string> words{"work", "t", "--batch", "--queue", queue};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", "sh", files_.path("script")});
    return std::make_unique<Program>(pqctl_words(words), std::vector{daemon_.socket_variable()});
  }
  bool is(const std::string& id, const std::string& what) { return has(job(id), what); }
  bool becomes(const std::string& id, const std::string& status) {
    return eventually([&] { return is(id, "\"status\":\"" + status + "\""); });
  }
  static int stop(Program& program) {
    program.signal(SIGTERM);
    return program.wait();
  }
  Client connect(const std::string& queue) {
    auto client = Client::connect({.socket = daemon_.socket()});
    EXPECT_TRUE(client && client->subscribe({.queue = queue, .types = {"t"}}));
    return std::move(*client);
  }

  TempDir files_;
};

TEST_F(BatchTest, IsOneCommandForAHundredJobs) {
  const auto worker = work(
      "hundred", "echo $PQD_BATCH_SIZE $(wc -l) $PQD_QUEUE $PQD_TYPE $PQD_MODE >> " + files_.path("runs"));
  const auto ids = submit("hundred", std::vector<std::string>(100, "x"));
  for (const std::string& id : {ids.front(), ids.back()}) EXPECT_TRUE(becomes(id, "completed"));
  EXPECT_EQ(stop(*worker), 0) << worker->err();
  EXPECT_EQ(read_file(files_.path("runs")), "100 100 hundred t batch\n");
  EXPECT_EQ(line_count(output(
                {"ls", "--queue", "hundred", "--state", "completed", "--limit", "1000", "-o", "jsonl"})),
            100u);
}

TEST_F(BatchTest, IsWhatHasComeWhenItsIntervalIsOver) {
  const auto worker =
      work("soon", "cat > " + files_.path("in.$$") + "; echo $PQD_BATCH_SIZE >> " + files_.path("runs"));
  const auto ids = submit("soon", std::vector<std::string>(7, "x"));
  for (const std::string& id : ids) EXPECT_TRUE(becomes(id, "completed"));
  EXPECT_EQ(stop(*worker), 0) << worker->err();
  std::istringstream runs(read_file(files_.path("runs")));
  std::vector<int> sizes(std::istream_iterator<int>{runs}, {});
  EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), 0), 7) << "in as many batches as it took";
}

TEST_F(BatchTest, IsSettledJobByJobAsTheCommandSays) {
  const auto worker = work("three", kTeller);
  const auto ids = submit("three", {"good", "bad", "other"});
  EXPECT_TRUE(becomes(ids[2], "completed"));
  EXPECT_TRUE(is(ids[0], "\"status\":\"completed\"") && is(ids[0], R"("result":"{\"n\":1.50}")"))
      << job(ids[0]);
  EXPECT_TRUE(is(ids[1], "\"status\":\"failed\"") && is(ids[1], "no such address")) << job(ids[1]);
  EXPECT_TRUE(is(ids[1], "\"attempts\":1,")) << "not tried again";
  EXPECT_TRUE(is(ids[2], "\"result\":\"\"")) << job(ids[2]);
  const auto back = submit("three", {"back", "good", "good"});
  EXPECT_TRUE(becomes(back[1], "completed"));
  EXPECT_TRUE(becomes(back[0], "pending"));
  EXPECT_TRUE(is(back[0], "\"attempts\":0,")) << job(back[0]);
  EXPECT_EQ(stop(*worker), 0) << worker->err();
  EXPECT_TRUE(has(worker->err(), ids[1] + " attempt 1 of 3 failed, no such address")) << worker->err();
  EXPECT_FALSE(has(worker->err(), ids[0])) << worker->err();
}

TEST_F(BatchTest, ExitStatusIsForThoseThatNothingWasSaidAbout) {
  auto worker = work("three", std::string(kTeller) + "echo the disk is gone >&2\nexit 65\n");
  const auto ids = submit("three", {"good", "other", "other"});
  EXPECT_TRUE(becomes(ids[2], "failed"));
  EXPECT_TRUE(becomes(ids[0], "completed"));
  EXPECT_TRUE(is(ids[1], "exit 65: the disk is gone") && is(ids[1], "\"attempts\":1,")) << job(ids[1]);
  EXPECT_EQ(stop(*worker), 0);
  EXPECT_TRUE(has(worker->err(), "2 of the 3 jobs of batch " + ids[0] + " failed, exit 65: the disk is gone"))
      << worker->err();
  worker = work("three", "exit 1\n");
  const auto again = submit("three", {"x", "x", "x"}, ",\"max_attempts\":2");
  for (const std::string& id : again) EXPECT_TRUE(becomes(id, "failed"));
  EXPECT_TRUE(is(again[0], "\"attempts\":2,")) << "tried again, in another batch";
}

TEST_F(BatchTest, LineThatIsNotUnderstoodFailsThoseThatNoLineIsAbout) {
  const auto worker = work("three", kTeller);
  const auto ids = submit("three", {"good", "noise", "other"}, ",\"max_attempts\":1");
  for (const std::string& id : {ids[1], ids[2]}) {
    EXPECT_TRUE(becomes(id, "failed"));
    EXPECT_TRUE(is(id, "line 2 of the command's output: ")) << job(id);
    EXPECT_TRUE(is(id, "worked on 3 jobs")) << job(id);
  }
  EXPECT_TRUE(becomes(ids[0], "completed"));
  EXPECT_EQ(stop(*worker), 0);
  EXPECT_TRUE(has(worker->err(), "2 of the 3 jobs of batch " + ids[0] + " failed, line 2")) << worker->err();
}

TEST_F(BatchTest, LineThatIsNotUnderstoodIsSaidEvenIfNoJobIsLeftForIt) {
  const auto worker = work("three", std::string(kTeller) + "echo enough\n", {"-o", "jsonl"});
  const auto ids = submit("three", {"good", "good", "bad"});
  for (const std::string& id : {ids[0], ids[1]}) EXPECT_TRUE(becomes(id, "completed"));
  EXPECT_EQ(stop(*worker), 0);
  EXPECT_TRUE(has(worker->err(), "line 4 of the command's output: \"enough\"")) << worker->err();
  EXPECT_TRUE(has(worker->out(), R"("outcome":"completed")")) << worker->out();
  EXPECT_TRUE(has(worker->out(), R"("outcome":"failed_for_good")")) << worker->out();
  EXPECT_EQ(line_count(worker->out()), 3u);
}

TEST_F(BatchTest, RunsOverTheDeathOfTheEngine) {
  const auto worker =
      work("three", "echo begun >&2; while ! test -e " + files_.path("go") + "; do sleep 0.02; done\n");
  const auto ids = submit("three", {"x", "x", "x"});
  ASSERT_TRUE(worker->says("begun"));
  daemon_.kill_engine();
  write_file(files_.path("go"), "");
  for (const std::string& id : ids) {
    EXPECT_TRUE(becomes(id, "completed"));
    EXPECT_TRUE(is(id, "\"attempts\":1,")) << job(id);
  }
  EXPECT_EQ(stop(*worker), 0) << worker->err();
}

TEST_F(BatchTest, KeepsItsLeasesWhileTheCommandRuns) {
  const auto worker = work("three", "sleep 2\n");
  const auto ids = submit("three", {"x", "x", "x"}, ",\"processing_timeout\":\"600ms\"");
  for (const std::string& id : ids) {
    EXPECT_TRUE(becomes(id, "completed"));
    EXPECT_TRUE(is(id, "\"attempts\":1,")) << job(id);
  }
}

TEST_F(BatchTest, SeveralRunAtOnce) {
  // Each waits until both are there.
  const auto worker = work("three",
                           "touch " + files_.path("here.$$") + "; while test $(ls " + files_.path() +
                               " | grep -c here) -lt 2; do sleep 0.02; done\n",
                           {"--concurrency", "2"});
  for (const std::string& id : submit("three", std::vector<std::string>(6, "x")))
    EXPECT_TRUE(becomes(id, "completed"));
}

TEST_F(BatchTest, EndsWhenTheWorkerIsInterruptedAndTheNextGoesBack) {
  const auto worker =
      work("three", "echo begun >&2; while ! test -e " + files_.path("go") + "; do sleep 0.02; done\n",
           {"--ahead", "2"});
  const auto running = submit("three", {"x", "x", "x"});
  ASSERT_TRUE(worker->says("begun"));
  const auto waiting = submit("three", {"x", "x", "x"});
  EXPECT_TRUE(becomes(waiting[2], "assigned"));
  worker->signal(SIGINT);
  for (const std::string& id : waiting) EXPECT_TRUE(becomes(id, "pending"));
  EXPECT_TRUE(is(waiting[0], "\"attempts\":0,"));
  write_file(files_.path("go"), "");
  EXPECT_EQ(worker->wait(), 0) << worker->err();
  for (const std::string& id : running) EXPECT_TRUE(is(id, "\"status\":\"completed\"")) << job(id);
}

TEST_F(BatchTest, IsKilledAtTheSecondInterruptAndGivenBackButForWhatWasSaid) {
  const auto worker = work("three", std::string(kTeller) + "echo begun >&2; exec sleep 1000\n");
  const auto ids = submit("three", {"good", "other", "other"});
  ASSERT_TRUE(worker->says("begun"));
  worker->signal(SIGTERM);
  ASSERT_TRUE(worker->says("stopping"));
  worker->signal(SIGTERM);
  EXPECT_EQ(worker->wait(), 1);
  EXPECT_TRUE(becomes(ids[0], "completed"));
  for (const std::string& id : {ids[1], ids[2]}) {
    EXPECT_TRUE(becomes(id, "pending"));
    EXPECT_TRUE(is(id, "\"attempts\":0,")) << job(id);
  }
}

TEST_F(BatchTest, CommandGoesOnUntilAllOfItIsCancelled) {
  const auto worker = work("three", "echo begun >&2; exec sleep 1000\n");
  const auto ids = submit("three", {"x", "x", "x"});
  ASSERT_TRUE(worker->says("begun"));
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_TRUE(is(ids[i], "\"status\":\"processing\"")) << job(ids[i]);
    output({"cancel", ids[i], "--running"});
  }
  for (const std::string& id : ids) EXPECT_TRUE(becomes(id, "cancelled"));
}

TEST_F(BatchTest, ComesAgainWithoutWhatWasSettledWhenItsConsumerIsKilled) {
  const auto ids = submit("hundred", std::vector<std::string>(100, "x"));
  Forked dying([&](const Forked::Say& say) {
    Client client = connect("hundred");
    const auto batch = client.next_batch(kPatience);
    if (!batch || batch->size() != ids.size()) return 1;
    for (size_t i = 0; i < 40; ++i)
      if (!client.complete((*batch)[i])) return 2;
    if (!client.flush(kPatience)) return 3;
    say("half done");
    for (;;) ::pause();
  });
  ASSERT_EQ(dying.hear(), "half done");
  EXPECT_EQ(dying.kill_and_wait(), 128 + SIGKILL);
  // It collects anew, and is complete with what comes now.
  const auto more = submit("hundred", std::vector<std::string>(40, "y"));
  Client next = connect("hundred");
  const auto batch = next.next_batch(kPatience);
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->size(), 100u);
  std::map<std::string, uint32_t> attempts;
  for (const DeliveredJob& job : *batch) attempts[job.id().to_string()] = job.attempt();
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(attempts[ids[i]], i < 40 ? 0u : 2u) << i;
  for (const std::string& id : more) EXPECT_EQ(attempts[id], 1u);
}

}  // namespace
}  // namespace pqd::test

// NATS JetStream: a stream that is a work queue, publishes without waiting for each, a pull consumer.
#include <nats/nats.h>
#include <unistd.h>

#include "tests/bench/free_port.h"
#include "tests/bench/own.h"
#include "tests/bench/sides.h"
#include "tests/bench/whole_life_peers.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace pqd::bench {
namespace {

constexpr int64_t kUnacknowledged = 4'000;
constexpr int kFetchedAtOnce = 500;
constexpr uint64_t kWindow = 20'000;
constexpr unsigned kBetweenLooks = 64;

void must(Side& side, natsStatus status, const char* what) {
  if (status != NATS_OK) side.fail(std::string(what) + ": " + ::natsStatus_GetText(status));
}

// Everything that a side holds; it ends with its process.
struct Stream {
  natsConnection* connection = nullptr;
  jsCtx* context = nullptr;
};

Stream connect(Side& side, const std::string& url) {
  Stream stream;
  must(side, ::natsConnection_ConnectTo(&stream.connection, url.c_str()), "connect");
  jsOptions options;
  ::jsOptions_Init(&options);
  options.PublishAsync.MaxPending = kUnacknowledged;
  must(side, ::natsConnection_JetStream(&stream.context, stream.connection, &options), "jetstream");
  return stream;
}

void make_stream(Side& side, const Stream& stream) {
  const char* subjects[] = {"jobs"};
  jsStreamConfig config;
  ::jsStreamConfig_Init(&config);
  config.Name = "JOBS";
  config.Subjects = subjects;
  config.SubjectsLen = 1;
  config.Retention = js_WorkQueuePolicy;
  config.Storage = js_FileStorage;
  must(side, ::js_AddStream(nullptr, stream.context, &config, nullptr, nullptr), "the stream");
}

void publish(Side& side, const std::string& url) {
  const Stream stream = connect(side, url);
  const std::string payload(kWholeLifePayloadBytes, 'x');
  side.start();
  while (!side.over()) {
    for (unsigned i = 0; i < kBetweenLooks; ++i) {
      must(side,
           ::js_PublishAsync(stream.context, "jobs", payload.data(), static_cast<int>(payload.size()),
                             nullptr),
           "publish");
    }
    side.did(kBetweenLooks);
    while (side.done() > side.done_by("consumer") + kWindow && !side.over()) ::usleep(100);
  }
  must(side, ::js_PublishAsyncComplete(stream.context, nullptr), "the last publishes");
}

void fetch_and_acknowledge(Side& side, const std::string& url) {
  const Stream stream = connect(side, url);
  make_stream(side, stream);
  jsSubOptions options;
  ::jsSubOptions_Init(&options);
  options.Config.MaxAckPending = 20'000;
  natsSubscription* subscription = nullptr;
  must(side, ::js_PullSubscribe(&subscription, stream.context, "jobs", "workers", nullptr, &options, nullptr),
       "subscribe");
  side.start();
  while (!side.over()) {
    natsMsgList messages{};
    const natsStatus status = ::natsSubscription_Fetch(&messages, subscription, kFetchedAtOnce, 50, nullptr);
    if (status != NATS_OK && status != NATS_TIMEOUT) must(side, status, "fetch");
    for (int i = 0; i < messages.Count; ++i) must(side, ::natsMsg_Ack(messages.Msgs[i], nullptr), "ack");
    side.did(static_cast<uint64_t>(messages.Count));
    ::natsMsgList_Destroy(&messages);
  }
  must(side, ::natsConnection_Flush(stream.connection), "the last acks");
}

}  // namespace

Line measure_nats(const Plan& plan) {
  Line peer{"NATS JetStream",
            "file storage, work queue; publishes with up to 4000 unacknowledged, fetches of 500, acks not "
            "waited for"};
  peer.weaker = "acknowledges what only the page cache has: this version syncs every two minutes";
  repeat(plan, peer, [&](Line& line) -> std::string {
    const test::TempDir directory;
    const std::string port = std::to_string(free_port());
    test::Program server({"nats-server", "-js", "-sd", directory.path(), "-a", "127.0.0.1", "-p", port});
    if (!server.says("Server is ready")) return "nats-server does not start: " + server.err();
    const std::string url = "nats://127.0.0.1:" + port;
    Sides sides;
    sides.add("consumer", [&](Side& side) { fetch_and_acknowledge(side, url); });
    sides.add("producer", [&](Side& side) { publish(side, url); });
    if (sides.run(plan.seconds)) line.add(kWholeLives, sides.rate_of("consumer"));
    return sides.fault();
  });
  return peer;
}

}  // namespace pqd::bench

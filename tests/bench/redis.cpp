#include "tests/bench/redis.h"

#include <hiredis/hiredis.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "tests/bench/moment.h"
#include "tests/bench/own.h"
#include "tests/bench/redis_server.h"
#include "tests/bench/sides.h"

namespace pqd::bench {
namespace {

// More do not make it faster, fewer do not either.
constexpr unsigned kPipelined = 1'000;
constexpr unsigned kValuesACommand = 100;
constexpr useconds_t kRestUs = 300;

struct Closing {
  void operator()(redisContext* context) const { ::redisFree(context); }
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};
using Connection = std::unique_ptr<redisContext, Closing>;
using Reply = std::unique_ptr<redisReply, Closing>;

Connection connect(Side& side, const std::string& socket) {
  Connection connection(::redisConnectUnix(socket.c_str()));
  if (!connection || connection->err != 0) side.fail("no connection to Redis");
  return connection;
}

Reply next_reply(Side& side, redisContext& connection) {
  void* reply = nullptr;
  if (::redisGetReply(&connection, &reply) != REDIS_OK) side.fail(connection.errstr);
  Reply owned(static_cast<redisReply*>(reply));
  if (owned->type == REDIS_REPLY_ERROR) side.fail(owned->str);
  return owned;
}

// "LPUSH jobs VALUE..." as the server reads it, made once.
std::string push_command(size_t values, size_t payload_bytes) {
  const Bytes payload = random_payload(payload_bytes, 1);
  std::vector<const char*> words{"LPUSH", "jobs"};
  std::vector<size_t> sizes{5, 4};
  for (size_t i = 0; i < values; ++i) {
    words.push_back(reinterpret_cast<const char*>(payload.data()));
    sizes.push_back(payload.size());
  }
  char* command = nullptr;
  const long long bytes =
      ::redisFormatCommandArgv(&command, static_cast<int>(words.size()), words.data(), sizes.data());
  std::string text(command, static_cast<size_t>(bytes));
  ::redisFreeCommand(command);
  return text;
}

// As many jobs as `ahead` are always under way.
void push_all_the_time(Side& side, const std::string& socket, size_t values, size_t ahead,
                       size_t payload_bytes) {
  const Connection connection = connect(side, socket);
  const std::string command = push_command(values, payload_bytes);
  const size_t commands = std::max<size_t>(1, ahead / values);
  side.start();
  while (!side.over()) {
    for (size_t i = 0; i < commands; ++i)
      ::redisAppendFormattedCommand(connection.get(), command.data(), command.size());
    for (size_t i = 0; i < commands; ++i) next_reply(side, *connection);
    side.did(commands * values);
  }
}

void push_and_wait(Side& side, const std::string& socket, size_t payload_bytes) {
  const Connection connection = connect(side, socket);
  const std::string command = push_command(1, payload_bytes);
  side.start();
  while (!side.over()) {
    const int64_t from = now_ns();
    ::redisAppendFormattedCommand(connection.get(), command.data(), command.size());
    next_reply(side, *connection);
    side.latency().add(static_cast<uint64_t>(now_ns() - from));
    side.did(1);
  }
}

void push_moments(Side& side, const std::string& socket) {
  const Connection connection = connect(side, socket);
  side.start();
  for (uint64_t sent = 0; !side.over();) {
    ::usleep(kRestUs);
    const int64_t now = now_ns();
    ::redisAppendCommand(connection.get(), "LPUSH moments %b", &now, sizeof now);
    next_reply(side, *connection);
    ++sent;
    while (side.done_by("consumer") < sent && !side.over()) ::usleep(20);
  }
}

void pop_moments(Side& side, const std::string& socket) {
  const Connection connection = connect(side, socket);
  side.start();
  while (!side.over()) {
    ::redisAppendCommand(connection.get(), "BLPOP moments 1");
    const Reply reply = next_reply(side, *connection);
    if (reply->type != REDIS_REPLY_ARRAY) continue;
    int64_t from = 0;
    std::memcpy(&from, reply->element[1]->str, sizeof from);
    side.latency().add(static_cast<uint64_t>(now_ns() - from));
    side.did(1);
  }
}

}  // namespace

std::vector<Contender> redis_submits(const Plan& plan, unsigned producers, size_t payload_bytes) {
  const auto pushed = [=](size_t values) {
    return [=](Line& line) {
      const RedisServer server(true);
      if (!server.fault().empty()) return server.fault();
      Sides sides;
      for (unsigned i = 0; i < producers; ++i) {
        sides.add("producer", [&](Side& side) {
          push_all_the_time(side, server.socket(), values, kPipelined, payload_bytes);
        });
      }
      if (sides.run(plan.seconds)) line.add("jobs/s", sides.rate_of("producer"));
      return sides.fault();
    };
  };
  return {
      {{"Redis LPUSH", "Unix socket, hiredis, appendfsync always, pipelines of 1000 commands"}, pushed(1)},
      {{"Redis LPUSH of 100", "the same, 100 values a command, 10 commands a pipeline"},
       pushed(kValuesACommand)}};
}

Contender redis_acknowledgement(const Plan& plan, size_t payload_bytes) {
  const auto once = [=](Line& line) {
    const RedisServer server(true);
    if (!server.fault().empty()) return server.fault();
    Sides sides;
    sides.add("producer", [&](Side& side) { push_and_wait(side, server.socket(), payload_bytes); });
    if (sides.run(plan.seconds)) {
      line.add("a second", sides.rate_of("producer"));
      add_latency(line, sides.latency_of("producer"));
    }
    return sides.fault();
  };
  return {{"Redis LPUSH", "Unix socket, hiredis, appendfsync always"}, once};
}

Contender redis_to_handler(const Plan& plan) {
  const auto once = [=](Line& line) {
    const RedisServer server(false);
    if (!server.fault().empty()) return server.fault();
    Sides sides;
    sides.add("consumer", [&](Side& side) { pop_moments(side, server.socket()); });
    sides.add("producer", [&](Side& side) { push_moments(side, server.socket()); });
    if (sides.run(plan.seconds)) add_latency(line, sides.latency_of("consumer"));
    return sides.fault();
  };
  return {{"Redis LPUSH to BLPOP",
           "Unix socket, hiredis, no persistence; producer and consumer sleep before each"},
          once};
}

}  // namespace pqd::bench

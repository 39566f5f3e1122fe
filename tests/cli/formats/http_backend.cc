#include "tests/cli/formats/http_backend.h"

#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <sstream>

namespace pedigree::cli {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;

tcp::endpoint Loopback(int port) {
  return {boost::asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)};
}

}  // namespace

HttpBackend::HttpBackend(std::vector<Answer> answers)
    : acceptor_(context_, Loopback(0)),
      port_(acceptor_.local_endpoint().port()),
      answers_(answers.begin(), answers.end()),
      thread_([this] { Serve(); }) {}

HttpBackend::~HttpBackend() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_over_ = true;
  }
  // Wakes the accept. The clients of a test are gone by now, so no connection is being read.
  boost::system::error_code ignored;
  tcp::socket(context_).connect(Loopback(port_), ignored);
  thread_.join();
}

std::vector<HttpBackend::Request> HttpBackend::Requests() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

HttpBackend::Answer HttpBackend::NextAnswer() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (answers_.empty()) return {};
  Answer answer = answers_.front();
  answers_.pop_front();
  return answer;
}

void HttpBackend::Serve() {
  for (;;) {
    boost::system::error_code error;
    tcp::socket socket(context_);
    acceptor_.accept(socket, error);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (error || is_over_) return;
    }
    while (ServeOne(socket)) {
    }
  }
}

bool HttpBackend::ServeOne(tcp::socket& socket) {
  boost::system::error_code error;
  beast::flat_buffer buffer;
  http::request<http::string_body> request;
  http::read(socket, buffer, request, error);
  if (error) return false;
  Request seen = {.target = std::string(request.target()), .header = {}, .body = request.body()};
  for (const auto& field : request) {
    seen.header[std::string(field.name_string())] = std::string(field.value());
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    requests_.push_back(std::move(seen));
  }
  const Answer answer = NextAnswer();
  if (answer.drop) return false;
  http::response<http::string_body> response(static_cast<http::status>(answer.status), 11);
  for (const auto& [name, value] : answer.header) response.set(name, value);
  response.body() = answer.body;
  response.prepare_payload();
  if (answer.cut_off) {
    std::stringstream text;
    text << response;
    const std::string part = text.str().substr(0, text.str().size() - 1);
    boost::asio::write(socket, boost::asio::buffer(part), error);
    return false;
  }
  http::write(socket, response, error);
  return !error && !answer.closes;
}

}  // namespace pedigree::cli

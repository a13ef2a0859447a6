// Five calls of the host with nothing but Go: COFFER_SOCKET=run/coffer.sock go run five.go
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

type object struct {
	Key  string
	Size int64
}

var client = &http.Client{Transport: &http.Transport{
	DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		path := os.Getenv("COFFER_SOCKET")
		if path == "" {
			path = "/run/coffer/coffer.sock"
		}
		return new(net.Dialer).DialContext(ctx, "unix", path)
	},
}}

// call sends one request and gives the body of its answer; a failure of the host ends the program with its words.
func call(method, path, body string) []byte {
	request, err := http.NewRequest(method, "http://coffer/v1/storages/files"+path, strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	if answer.StatusCode >= 300 {
		log.Fatalf("%s: %s", answer.Status, text)
	}
	return text
}

func decode[T any](text []byte) (value T) {
	if err := json.Unmarshal(text, &value); err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	put := decode[object](call("PUT", "/objects/hello/go.txt", "hello from go\n"))
	fmt.Println("put", put.Key, put.Size)
	fmt.Printf("get %s", call("GET", "/objects/hello/go.txt", ""))
	page := decode[struct{ Objects []object }](call("GET", "/objects?prefix=hello/", ""))
	for _, found := range page.Objects {
		fmt.Println("list", found.Key)
	}
	order := `{"from": "hello/go.txt", "to": "hello/copy.txt", "on_conflict": "replace"}`
	fmt.Println("copy", decode[object](call("POST", "/copy", order)).Key)
	call("DELETE", "/objects/hello/copy.txt", "")
	fmt.Println("delete hello/copy.txt")
}

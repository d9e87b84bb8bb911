module example.org/assignment

go 1.21

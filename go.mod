module github.com/tollgate-mail/tollgate

go 1.26

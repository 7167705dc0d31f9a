<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands in for what the model uses of OPNsense: fields that have a value and know
 * whether they were changed, and messages with their place.
 */

// Several small classes in one file, as the names that they stand for have it.
// phpcs:disable PSR1.Classes.ClassDeclaration,PSR2.Classes.PropertyDeclaration,PSR1.Files.SideEffects

namespace OPNsense\Base\Messages {
    class Message
    {
        private $text;
        private $field;

        public function __construct($text, $field)
        {
            $this->text = $text;
            $this->field = $field;
        }

        public function getMessage()
        {
            return $this->text;
        }

        public function getField()
        {
            return $this->field;
        }
    }

    class Messages
    {
        public $all = [];

        public function appendMessage($message)
        {
            $this->all[$message->getField()] = $message->getMessage();
        }
    }
}

namespace OPNsense\Base {
    class Field
    {
        private $value = '';
        private $children = [];
        public $__reference = '';

        public function __construct($value = '', array $children = [], $reference = '')
        {
            $this->value = $value;
            $this->children = $children;
            $this->__reference = $reference;
        }

        public function __get($name)
        {
            return $this->children[$name] ?? new Field();
        }

        public function __toString()
        {
            return $this->value;
        }

        public function iterateItems()
        {
            return $this->children;
        }

        public function isFieldChanged()
        {
            return true;
        }
    }

    /* The tree of fields, with the defaults that Tollgate.xml has. */
    abstract class BaseModel
    {
        private $tree;

        public function __construct(array $values = [])
        {
            $beside = dirname((new \ReflectionClass($this))->getFileName());
            $model = simplexml_load_file($beside . '/Tollgate.xml');
            $this->tree = $this->read($model->items, $values, '');
        }

        private function read($node, $values, $path)
        {
            $children = [];
            foreach ($node->children() as $name => $child) {
                $at = ltrim($path . '.' . $name, '.');
                $type = (string)$child['type'];
                if ($type == 'ArrayField') {
                    $items = [];
                    foreach ($values[$name] ?? [] as $number => $item) {
                        $items[] = $this->read($child, $item, $at . '.' . $number);
                    }
                    $children[$name] = new Field('', $items, $at);
                } elseif ($type == '') {
                    $children[$name] = $this->read($child, $values[$name] ?? [], $at);
                } else {
                    $children[$name] = new Field($values[$name] ?? (string)$child->Default, [], $at);
                }
            }
            return new Field('', $children, $path);
        }

        public function __get($name)
        {
            return $this->tree->$name;
        }

        public function performValidation($validateFullModel = false)
        {
            return new Messages\Messages();
        }
    }
}

namespace {
    if (!function_exists('gettext')) {
        function gettext($text)
        {
            return $text;
        }
    }
}
